// hot path: `run` handles every scraped line. Benchmark: bench/parse.bench.ts.
import type { Metadata, MetricType } from '../model/metadata.ts';
import type { SampleBatch, SeriesRef } from '../model/sample.ts';
import type { Labels } from '../model/labels.ts';
import type { Appender } from '../model/storage.ts';
import { CodedError } from '../util/errors.ts';
import { FloatParser } from '../util/parse-float.ts';
import type { Body } from './body.ts';
import { TextParser } from './format/text.ts';
import { sampleLabels, type SampleLabelRules } from './sample-labels.ts';
import {
  DROPPED,
  KIND,
  KIND_COMMENT,
  KIND_HELP,
  KIND_SERIES,
  KIND_TYPE,
  LENGTH,
  NEXT,
  REF,
  SEEN,
  STRIDE,
  SeriesCache,
  TRACKED,
  UNRESOLVED,
  WAS_LIVE,
} from './series-cache.ts';

export interface IngestRules extends SampleLabelRules {
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  /** 0: none. */
  readonly sampleLimit: number;
}

/** Samples this far ahead of the scrape are refused, as Prometheus does. */
const FUTURE_MS_MAX = 10 * 60_000;
/** Unseen entries that are kept beyond as many as the last scrape saw. */
const SPARE_ENTRIES_MAX = 256;
const TYPE_NAMES: readonly MetricType[] = ['unknown', 'counter', 'gauge', 'histogram', 'summary'];
const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH_SIGN = 0x23;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Turns a target's bodies into sample rows and remembers its series between scrapes. Per scrape: `begin`, `run` until it
 * returns true, then `finish` or, when anything went wrong, `fail`.
 */
export class Ingest {
  /** Of the scrape at hand. */
  scrapedCount = 0;
  /** After relabelling, whether or not storage takes them. */
  addedCount = 0;
  newSeriesCount = 0;
  duplicateCount = 0;
  outOfBoundsCount = 0;

  readonly #cache: SeriesCache;
  readonly #parser = new TextParser();
  readonly #float = new FloatParser();
  #rules: IngestRules;
  #body: Body | undefined;
  #batch: SampleBatch | undefined;
  #timeMs = 0;
  #explicitMs = 0;
  #position = 0;
  #previous = 0;
  /** Mark of the scrape at hand: a multiple of 4 above every earlier one. */
  #scrape = 0;
  #lastGoodScrape = 1;
  /** What SEEN is (without WAS_LIVE) for series that would get a marker when missing; no entry has 1. */
  #liveMark = 1;
  #liveCount = 0;
  #stillLiveCount = 0;
  #trackedCount = 0;
  #seenCount = 0;
  #rowCount = 0;
  /** Series first seen in this scrape: entry and labels; rows that wait for their reference: row and entry. */
  #pendingEntries: number[] = [];
  #pendingLabels: Labels[] = [];
  #createdCount = 0;
  #pendingRows: number[] = [];
  /** Series of the rules before, that get a marker unless the next scrape has them. */
  #orphans: SeriesRef[] = [];

  constructor(rules: IngestRules, seed: number) {
    this.#rules = rules;
    this.#cache = new SeriesCache(seed);
  }

  /** Other rules from the next scrape on. The labels of every series are made anew; none is lost sight of. */
  replaceRules(rules: IngestRules): void {
    this.#orphans.push(...this.liveRefs());
    this.#rules = rules;
    this.forget();
  }

  /** Drops what is known of series, for instance when it is too old to be trusted. */
  forget(): void {
    this.#cache.compact(Infinity);
    this.#liveMark = 1;
    this.#liveCount = 0;
  }

  /** `batch` is empty. Body and batch are lent until `finish` or `fail` return. */
  begin(body: Body, batch: SampleBatch, timeMs: number): void {
    this.#body = body;
    this.#batch = batch;
    this.#timeMs = timeMs;
    this.#parser.reset(body.bytes, body.length);
    this.#position = 0;
    this.#previous = 0;
    this.#startScrape();
  }

  #startScrape(): void {
    this.#scrape += 4;
    this.#stillLiveCount = 0;
    this.#trackedCount = 0;
    this.#seenCount = 0;
    this.#rowCount = 0;
    this.scrapedCount = 0;
    this.addedCount = 0;
    this.newSeriesCount = 0;
    this.duplicateCount = 0;
    this.outOfBoundsCount = 0;
  }

  /** Handles up to `lines` lines; true when the body is done. Throws ExpositionError. */
  run(lines: number): boolean {
    const cache = this.#cache;
    const { bytes, view, length: end } = this.#body!;
    const float = this.#float;
    let position = this.#position;
    let previous = this.#previous;
    for (let left = lines; left > 0 && position < end; left--) {
      const fields = cache.fields;
      const expected = fields[previous * STRIDE + NEXT]!;
      let entry = expected;
      if (entry === 0 || !cache.matches(entry, view, position, end)) {
        entry = this.#knownElsewhere(position);
        if (entry !== 0) fields[previous * STRIDE + NEXT] = entry;
      }
      if (entry !== 0) {
        const at = entry * STRIDE;
        const valueStart = position + fields[at + LENGTH]!;
        if (fields[at + KIND] !== KIND_SERIES) {
          this.#metaSeen(entry);
          previous = entry;
          position = valueStart;
          continue;
        }
        if (float.parse(bytes, valueStart)) {
          const valueEnd = float.end;
          const lineEnd = bytes[valueEnd] === NEWLINE ? valueEnd : this.#timestamp(bytes, valueEnd);
          if (lineEnd > 0 && fields[at + SEEN]! >= this.#lastGoodScrape) {
            this.#sample(entry, float.hi, float.lo, lineEnd === valueEnd ? NaN : this.#explicitMs);
            previous = entry;
            position = lineEnd + 1;
            continue;
          }
        }
      }
      this.#position = position;
      previous = this.#slowLine(previous, expected);
      position = this.#position;
    }
    this.#position = position;
    this.#previous = previous;
    return position >= end;
  }

  /** The entry of a line that is not where it was, found by the hash of its bytes; 0 when they are new. */
  #knownElsewhere(position: number): number {
    const { bytes, view, length } = this.#body!;
    const keyEnd = findKeyEnd(bytes, position, length);
    return keyEnd === 0 ? 0 : this.#cache.find(view, position, keyEnd);
  }

  /** A timestamp of up to 15 digits after one blank, ending the line: sets `#explicitMs`. 0 for anything else. */
  #timestamp(bytes: Uint8Array, valueEnd: number): number {
    let i = valueEnd + 1;
    let timeMs = 0;
    for (let c = bytes[i]! - 0x30; c >= 0 && c <= 9; c = bytes[++i]! - 0x30) timeMs = timeMs * 10 + c;
    if (bytes[i] !== NEWLINE || i === valueEnd + 1 || i > valueEnd + 16) return 0;
    this.#explicitMs = timeMs;
    return i;
  }

  /** One line by the whole grammar. Returns the entry it was. */
  #slowLine(previous: number, expected: number): number {
    const parser = this.#parser;
    const cache = this.#cache;
    const view = this.#body!.view;
    parser.position = this.#position;
    const kind = parser.next();
    this.#position = parser.position;
    if (kind === 'end') {
      this.#position = this.#body!.length;
      return previous;
    }
    const keyEnd = kind === 'series' ? parser.valueStart : parser.position;
    let entry = cache.find(view, parser.keyStart, keyEnd);
    if (entry === 0) {
      const code =
        kind === 'series' ? KIND_SERIES : kind === 'type' ? KIND_TYPE : kind === 'help' ? KIND_HELP : KIND_COMMENT;
      entry = cache.add(view, parser.keyStart, keyEnd, code);
      cache.fields[entry * STRIDE + NEXT] = expected;
      if (kind === 'type') cache.fields[entry * STRIDE + REF] = TYPE_NAMES.indexOf(parser.type);
      else if (kind !== 'series') cache.fields[entry * STRIDE + REF] = DROPPED;
    }
    cache.fields[previous * STRIDE + NEXT] = entry;
    if (kind !== 'series') {
      this.#metaSeen(entry);
      return entry;
    }
    const at = entry * STRIDE;
    if (cache.fields[at + SEEN]! < this.#lastGoodScrape) this.#resolve(entry);
    this.#sample(entry, parser.hi, parser.lo, parser.hasTimestamp ? parser.timestampMs : NaN);
    return entry;
  }

  #metaSeen(entry: number): void {
    const at = entry * STRIDE;
    const fields = this.#cache.fields;
    if (fields[at + SEEN]! < this.#scrape) this.#seenCount++;
    fields[at + SEEN] = this.#scrape;
    if (fields[at + KIND] === KIND_TYPE) this.#parser.type = TYPE_NAMES[fields[at + REF]!] ?? 'unknown';
  }

  /** Makes the labels of a series that is new, or was away. It is created when the whole body proved good. */
  #resolve(entry: number): void {
    const at = entry * STRIDE;
    const labels = sampleLabels(this.#parser.labelPairs(), this.#rules);
    this.#cache.fields[at + REF] = labels === undefined ? DROPPED : UNRESOLVED;
    if (labels === undefined) return;
    if (this.#rules.sampleLimit > 0 && this.#rowCount >= this.#rules.sampleLimit) return;
    this.#pendingEntries.push(entry);
    this.#pendingLabels.push(labels);
    this.newSeriesCount++;
  }

  /** `explicitMs` is NaN for a sample without a timestamp. */
  #sample(entry: number, hi: number, lo: number, explicitMs: number): void {
    const at = entry * STRIDE;
    const fields = this.#cache.fields;
    const seen = fields[at + SEEN]!;
    const ref = fields[at + REF]!;
    const scrape = this.#scrape;
    const rules = this.#rules;
    this.scrapedCount++;
    if (ref === DROPPED) {
      if (seen < scrape) this.#seenCount++;
      fields[at + SEEN] = scrape;
      return;
    }
    this.addedCount++;
    const isExplicit = explicitMs === explicitMs && rules.honorTimestamps;
    if (seen >= scrape) {
      if (!isExplicit) {
        this.duplicateCount++;
        return;
      }
    } else {
      this.#seenCount++;
      const wasLive = (seen & ~WAS_LIVE) === this.#liveMark ? WAS_LIVE : 0;
      const tracked = !isExplicit || rules.trackTimestampsStaleness ? TRACKED : 0;
      this.#trackedCount += tracked;
      if (wasLive !== 0 && tracked !== 0) this.#stillLiveCount++;
      fields[at + SEEN] = scrape | wasLive | tracked;
    }
    const timeMs = isExplicit ? explicitMs : this.#timeMs;
    if (timeMs > this.#timeMs + FUTURE_MS_MAX) {
      this.outOfBoundsCount++;
      return;
    }
    this.#rowCount++;
    if (rules.sampleLimit > 0 && this.#rowCount > rules.sampleLimit) return;
    const batch = this.#batch!;
    if (ref === UNRESOLVED) {
      this.#pendingRows.push(batch.count, entry);
      batch.appendWords(0, timeMs, hi, lo);
    } else batch.appendWords(ref, timeMs, hi, lo);
  }

  /**
   * The whole body was good: creates up to `count` of the new series; true when there are no more. Throws when a limit is
   * exceeded; then call `fail`.
   */
  createSeries(appender: Appender, count: number): boolean {
    const { sampleLimit } = this.#rules;
    if (sampleLimit > 0 && this.#rowCount > sampleLimit) throw new CodedError('limit', 'sample limit exceeded');
    const fields = this.#cache.fields;
    const end = Math.min(this.#pendingEntries.length, this.#createdCount + count);
    for (let i = this.#createdCount; i < end; i++) {
      fields[this.#pendingEntries[i]! * STRIDE + REF] = appender.seriesRef(this.#pendingLabels[i]!);
    }
    this.#createdCount = end;
    return end === this.#pendingEntries.length;
  }

  /**
   * Creates what series are left to create and adds markers for those that vanished. Throws as `createSeries`.
   */
  finish(appender: Appender): void {
    while (!this.createSeries(appender, Infinity));
    const batch = this.#batch!;
    const fields = this.#cache.fields;
    for (let i = 0; i < this.#pendingRows.length; i += 2) {
      batch.refs[this.#pendingRows[i]!] = fields[this.#pendingRows[i + 1]! * STRIDE + REF]!;
    }
    if (this.#stillLiveCount < this.#liveCount || this.#orphans.length > 0) this.#markVanished();
    this.#liveCount = this.#trackedCount;
    this.#liveMark = this.#scrape | TRACKED;
    this.#lastGoodScrape = this.#scrape;
    this.#end(this.#scrape);
  }

  #markVanished(): void {
    const batch = this.#batch!;
    const present = new Set<SeriesRef>();
    for (let i = 0; i < batch.count; i++) present.add(batch.refs[i]!);
    for (const ref of [...this.liveRefs(), ...this.#orphans]) {
      if (present.has(ref)) continue;
      present.add(ref);
      batch.appendStale(ref, this.#timeMs);
    }
    this.#orphans = [];
  }

  /**
   * The scrape failed, before `begin` or after: the batch holds nothing of it but a marker for every series that was
   * live.
   */
  fail(batch: SampleBatch, timeMs: number): void {
    if (this.#body === undefined) this.#startScrape();
    batch.clear();
    const fields = this.#cache.fields;
    for (const entry of this.#pendingEntries) fields[entry * STRIDE + REF] = UNRESOLVED;
    const marked = new Set<SeriesRef>(this.#orphans);
    this.#orphans = [];
    for (let entry = 1; entry < this.#cache.count; entry++) {
      const at = entry * STRIDE;
      const seen = fields[at + SEEN]!;
      // Seen before the fault in this scrape's body: what it was before is in its bit.
      const wasLive = seen >= this.#scrape ? (seen & WAS_LIVE) !== 0 : this.#isLive(at);
      if (wasLive && fields[at + KIND] === KIND_SERIES) marked.add(fields[at + REF]!);
      if (fields[at + REF] === UNRESOLVED) fields[at + SEEN] = 0;
    }
    for (const ref of marked) batch.appendStale(ref, timeMs);
    this.#liveMark = 1;
    this.#liveCount = 0;
    this.#end(this.#lastGoodScrape);
  }

  /** Series that get a marker when they are missing from the next scrape. */
  liveRefs(): SeriesRef[] {
    const refs: SeriesRef[] = [];
    for (let entry = 1; entry < this.#cache.count; entry++) {
      if (this.#isLive(entry * STRIDE)) refs.push(this.#cache.fields[entry * STRIDE + REF]!);
    }
    return refs;
  }

  #isLive(at: number): boolean {
    const fields = this.#cache.fields;
    return fields[at + KIND] === KIND_SERIES && (fields[at + SEEN]! & ~WAS_LIVE) === this.#liveMark;
  }

  #end(keepFrom: number): void {
    this.#pendingEntries.length = 0;
    this.#createdCount = 0;
    this.#pendingLabels.length = 0;
    this.#pendingRows.length = 0;
    this.#body = undefined;
    this.#batch = undefined;
    if (this.#cache.count > this.#seenCount * 2 + SPARE_ENTRIES_MAX) this.#cache.compact(keepFrom);
  }

  /** What the target says of its metric families, by name. */
  metadata(): Map<string, Metadata> {
    const families = new Map<string, Metadata>();
    const parser = new TextParser();
    for (let entry = 1; entry < this.#cache.count; entry++) {
      const at = entry * STRIDE;
      const kind = this.#cache.fields[at + KIND];
      if (kind !== KIND_TYPE && kind !== KIND_HELP) continue;
      if (this.#cache.fields[at + SEEN]! < this.#lastGoodScrape) continue;
      const line = this.#cache.keyBytes(entry);
      parser.reset(line, line.length);
      const found = parser.next();
      const name = parser.familyName();
      const known = families.get(name) ?? { type: 'unknown', unit: '', help: '' };
      families.set(name, found === 'help' ? { ...known, help: parser.text('help') } : { ...known, type: parser.type });
    }
    return families;
  }
}

/**
 * Where the value of a series line begins, or a comment line ends; 0 where that is not plain to see. Only bytes that the
 * whole grammar accepted before are looked up with it, so it need not check anything.
 */
function findKeyEnd(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === HASH_SIGN) return bytes.indexOf(NEWLINE, start) + 1;
  let inQuotes = false;
  let inBraces = false;
  for (let i = start; i < end; i++) {
    const c = bytes[i]!;
    if (inQuotes) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) inQuotes = false;
    } else if (c === QUOTE) inQuotes = true;
    else if (c === NEWLINE) return 0;
    else if (c === OPEN) inBraces = true;
    else if (inBraces) {
      if (c === CLOSE) inBraces = false;
      if (!inBraces && bytes[i + 1] !== SPACE && bytes[i + 1] !== TAB) return i + 1;
    } else if ((c === SPACE || c === TAB) && i > start) {
      const next = bytes[i + 1]!;
      if (next !== SPACE && next !== TAB && next !== OPEN) return i + 1;
    }
  }
  return 0;
}
