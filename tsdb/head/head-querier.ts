// hot path. Reading the head, from any thread. `openHead` once per thread; its queriers may be open at the same time.
import type { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { SampleColumns, SeriesRef } from '../../model/sample.ts';
import type { Querier, Queryable, SelectHints, SeriesSet } from '../../model/storage.ts';
import type { TimestampMs } from '../../model/time.ts';
import { assert } from '../../util/assert.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import { XorDecoder } from '../chunk/xor.ts';
import { selectRefs } from '../query/select.ts';
import { CHUNK, offsetIn, SLAB_BYTES, slabOf, SlabViews, type ChunkLocation } from './chunk-memory.ts';
import { ReaderEpochs } from './epochs.ts';
import { indexStats, type IndexStats } from './index-stats.ts';
import { LabelReader } from './label-reader.ts';
import type { PairId } from './postings.ts';
import { Selections } from './selections.ts';
import { APPEND_WORDS } from './series.ts';
import { Snapshot, UndoScratch } from './snapshot.ts';
import { HeadTables, SERIES_CHUNK, SERIES_WORDS, type HeadShare } from './tables.ts';

/** The head as this thread reads it. `readerSlot` is from `Head.acquireReaderSlot`, one per thread. */
export function openHead(share: HeadShare, readerSlot: number): HeadReader {
  return new HeadReader(new HeadTables(share), readerSlot);
}

export class HeadReader implements Queryable {
  readonly tables: HeadTables;
  readonly labels: LabelReader;
  readonly selections: Selections;
  readonly chunks: ChunkReader;
  readonly #epochs: ReaderEpochs;
  readonly #scratch = new UndoScratch();

  /** Use `openHead`. */
  constructor(tables: HeadTables, readerSlot: number) {
    this.tables = tables;
    this.labels = new LabelReader(tables);
    this.selections = new Selections(this.labels);
    this.chunks = new ChunkReader(tables);
    this.#epochs = new ReaderEpochs(tables.control, readerSlot);
  }

  /** Every querier must be closed: until then what it may read keeps its memory. */
  querier(minTime: TimestampMs, maxTime: TimestampMs): Querier {
    const epoch = this.#epochs.enter();
    const snapshot = new Snapshot(this.tables, this.#scratch);
    return new HeadQuerier(this, snapshot, { minTime, maxTime }, () => this.#epochs.leave(epoch));
  }

  /** The longest lists of the index, for /api/v1/status/tsdb: `limit` entries each. Goes through all label pairs. */
  stats(limit: number): IndexStats {
    const epoch = this.#epochs.enter();
    try {
      this.tables.loadSeriesCount();
      return indexStats(this.labels, limit);
    } finally {
      this.#epochs.leave(epoch);
    }
  }
}

interface Bounds {
  readonly minTime: TimestampMs;
  readonly maxTime: TimestampMs;
}

class HeadQuerier implements Querier {
  readonly #reader: HeadReader;
  readonly #snapshot: Snapshot;
  readonly #bounds: Bounds;
  readonly #leave: () => void;
  #isClosed = false;

  constructor(reader: HeadReader, snapshot: Snapshot, bounds: Bounds, leave: () => void) {
    this.#reader = reader;
    this.#snapshot = snapshot;
    this.#bounds = bounds;
    this.#leave = leave;
  }

  /** Throws SnapshotLostError when the view is too old to be had for these series. */
  select(matchers: readonly Matcher[], hints: SelectHints): SeriesSet {
    const { tables, selections, chunks, labels } = this.#open();
    const startMs = Math.max(hints.startMs, this.#bounds.minTime);
    const endMs = Math.min(hints.endMs, this.#bounds.maxTime);
    const seriesCount = tables.loadSeriesCount();
    const refs = selections.select(matchers, seriesCount);
    const words = this.#snapshot.words(refs, seriesCount);
    const limit = hints.limit !== undefined && hints.limit > 0 ? hints.limit : refs.length;
    const keptRefs = new Uint32Array(refs.length);
    let count = 0;
    for (let i = 0; i < refs.length && count < limit; i++) {
      const word = words[i]!;
      if (word === 0 || !chunks.overlaps(refs[i]!, word, startMs, endMs)) continue;
      keptRefs[count] = refs[i]!;
      words[count++] = word;
    }
    return new HeadSeriesSet({ chunks, labels, bounds: this.#bounds }, keptRefs, words, count);
  }

  labelNames(matchers: readonly Matcher[], limit: number): string[] {
    const { labels } = this.#open();
    const { postings, symbols } = labels;
    const texts: string[] = [];
    if (matchers.length === 0) {
      for (const name of postings.names()) texts.push(symbols.text(postings.nameOf(name)));
    } else {
      const names = new Set<number>();
      for (const pair of this.#pairsOf(matchers)) names.add(postings.nameOf(pair));
      for (const name of names) texts.push(symbols.text(name));
    }
    return sortedUpTo(texts, limit);
  }

  labelValues(name: string, matchers: readonly Matcher[], limit: number): string[] {
    const { labels, tables } = this.#open();
    const { postings, symbols } = labels;
    tables.loadSeriesCount();
    const nameSymbol = symbols.find(name);
    if (nameSymbol <= 0) return [];
    const texts: string[] = [];
    if (matchers.length === 0) {
      for (const pair of postings.valuesOf(postings.find(nameSymbol, 0))) {
        if (postings.countOf(pair) > 0) texts.push(symbols.text(postings.valueOf(pair)));
      }
    } else {
      for (const pair of this.#pairsOf(matchers)) {
        if (postings.nameOf(pair) === nameSymbol) texts.push(symbols.text(postings.valueOf(pair)));
      }
    }
    return sortedUpTo(texts, limit);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave();
  }

  /** Distinct label pairs of the matching series. */
  #pairsOf(matchers: readonly Matcher[]): Set<PairId> {
    const { tables, labels } = this.#reader;
    const refs = selectRefs(labels, matchers, 0, tables.loadSeriesCount());
    const words = tables.labelSets.u32;
    const pairs = new Set<PairId>();
    for (let i = 0; i < refs.length; i++) {
      const at = labels.pairsAt(refs[i]!);
      const end = at + words[at - 1]!;
      for (let j = at; j < end; j++) pairs.add(words[j]!);
    }
    return pairs;
  }

  #open(): HeadReader {
    assert(!this.#isClosed, 'the querier is open');
    return this.#reader;
  }
}

function sortedUpTo(texts: string[], limit: number): string[] {
  texts.sort(compareUtf8);
  return limit > 0 ? texts.slice(0, limit) : texts;
}

interface SeriesSource {
  readonly chunks: ChunkReader;
  readonly labels: LabelReader;
  readonly bounds: Bounds;
}

class HeadSeriesSet implements SeriesSet {
  readonly count: number;
  readonly #source: SeriesSource;
  readonly #refs: Uint32Array;
  readonly #words: Int32Array;

  constructor(source: SeriesSource, refs: Uint32Array, words: Int32Array, count: number) {
    this.#source = source;
    this.#refs = refs;
    this.#words = words;
    this.count = count;
  }

  labels(index: number): Labels {
    assert(index >= 0 && index < this.count, 'series index');
    return this.#source.labels.labels(this.#refs[index]!);
  }

  read(index: number, startMs: TimestampMs, endMs: TimestampMs, out: SampleColumns): void {
    assert(index >= 0 && index < this.count, 'series index');
    const { chunks, bounds } = this.#source;
    const start = Math.max(startMs, bounds.minTime);
    chunks.startMs = start;
    chunks.endMs = Math.min(endMs, bounds.maxTime);
    chunks.read(this.#refs[index]!, this.#words[index]!, out);
  }
}

/** Finds and decodes the chunks of a series as a publish word showed it. */
class ChunkReader {
  /** Bounds of `read`. */
  startMs = 0;
  endMs = 0;
  readonly #tables: HeadTables;
  readonly #slabs: SlabViews;
  readonly #decoder = new XorDecoder();
  readonly #found: ChunkLocation[] = [];

  constructor(tables: HeadTables) {
    this.#tables = tables;
    this.#slabs = new SlabViews(tables.share.chunks);
  }

  /** False when the series has no chunk that reaches into [startMs, endMs]. */
  overlaps(ref: SeriesRef, word: number, startMs: TimestampMs, endMs: TimestampMs): boolean {
    // Newer than the snapshot perhaps, which only makes the answer more generous.
    if (this.#tables.append.f64[(ref * APPEND_WORDS) >> 1]! < startMs) return false;
    let location = this.#newest(ref, word);
    for (;;) {
      const view = this.#slabs.view(slabOf(location));
      const offset = offsetIn(location);
      if (view.getFloat64(offset + CHUNK.minTime) <= endMs) return true;
      if (view.getFloat64(offset + CHUNK.previousMaxTime) < startMs) return false;
      location = view.getUint32(offset + CHUNK.previous);
      if (location === 0) return false;
    }
  }

  /** Replaces the content of `out` with the samples that the word covers, inside the bounds. */
  read(ref: SeriesRef, word: number, out: SampleColumns): void {
    out.clear();
    const { startMs, endMs } = this;
    const found = this.#found;
    found.length = 0;
    const newest = this.#newest(ref, word);
    let location = newest;
    while (location !== 0) {
      const view = this.#slabs.view(slabOf(location));
      const offset = offsetIn(location);
      if (view.getFloat64(offset + CHUNK.minTime) <= endMs) found.push(location);
      if (view.getFloat64(offset + CHUNK.previousMaxTime) < startMs) break;
      location = view.getUint32(offset + CHUNK.previous);
    }
    const decoder = this.#decoder;
    decoder.startMs = startMs;
    decoder.endMs = endMs;
    for (let i = found.length - 1; i >= 0; i--) {
      const at = found[i]!;
      const view = this.#slabs.view(slabOf(at));
      const base = offsetIn(at) + CHUNK.bytes;
      // The newest chunk may have gone on since: only what the word says is ours (rule 2).
      const count = at === newest ? word & 0xffff : view.getUint16(base);
      decoder.decode(view, base, SLAB_BYTES, count, out);
    }
  }

  /** The chunk that was open at the snapshot; it may have been sealed since, and others begun. */
  #newest(ref: SeriesRef, word: number): ChunkLocation {
    const sequence = word >>> 16;
    let location = Atomics.load(this.#tables.series.i32, ref * SERIES_WORDS + SERIES_CHUNK) >>> 0;
    for (;;) {
      assert(location !== 0, 'a published series has the chunk of its word');
      const view = this.#slabs.view(slabOf(location));
      const offset = offsetIn(location);
      if (view.getUint16(offset + CHUNK.sequence) === sequence) return location;
      location = view.getUint32(offset + CHUNK.previous);
    }
  }
}
