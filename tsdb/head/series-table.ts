import type { Labels } from '../../model/labels.ts';
import type { SeriesRef } from '../../model/sample.ts';
import { CodedError } from '../../util/errors.ts';
import type { PairId, Postings } from './postings.ts';
import { mix } from './shared-slots.ts';
import type { SymbolTable } from './symbols.ts';
import { CONTROL, SERIES_LABELS, SERIES_WORDS, type HeadTables } from './tables.ts';

/** Bytes of an append record (series.ts). */
export const APPEND_BYTES = 48;
/** Labels of one series; Prometheus has no limit, a scrape has one long before. */
const LABELS_MAX = 65_535;

/** The writer's labels -> ref. Refs are dense from 1, in order of creation. */
export class SeriesTable {
  readonly #tables: HeadTables;
  readonly #symbols: SymbolTable;
  readonly #postings: Postings;
  readonly #seriesMax: number;
  /** [hash, ref] per slot; ref 0 is empty. Private to the writer: readers find series by postings. */
  #slots = new Int32Array(2 * 1024);
  #count = 0;
  #labelWords = 1;
  readonly #known = new KnownPairs();
  #pairs = new Int32Array(64);

  constructor(tables: HeadTables, symbols: SymbolTable, postings: Postings, seriesMax: number) {
    this.#tables = tables;
    this.#symbols = symbols;
    this.#postings = postings;
    this.#seriesMax = seriesMax > 0 ? seriesMax : 2 ** 31 - 2;
    tables.series.cover(SERIES_WORDS * 4);
  }

  get count(): number {
    return this.#count;
  }

  /** The ref of the labels; 0 when there is no such series. */
  find(labels: Labels): SeriesRef {
    const flat = labels.flat;
    const size = flat.length >> 1;
    const pairs = this.#pairsOf(size);
    for (let i = 0; i < size; i++) {
      const pair = this.#known.find(flat[i * 2]!, flat[i * 2 + 1]!) || this.#findPair(flat[i * 2]!, flat[i * 2 + 1]!);
      if (pair === 0) return 0;
      pairs[i] = pair;
    }
    return this.#lookUp(pairs, size, hashPairs(pairs, size));
  }

  /** Adds the series, which `find` did not find. Throws `limit` when there are too many, or memory ends. */
  add(labels: Labels): SeriesRef {
    const flat = labels.flat;
    const size = flat.length >> 1;
    if (this.#count >= this.#seriesMax) {
      const text = `head series limit (${this.#seriesMax}) reached, see --storage.tsdb.max-head-series`;
      throw new CodedError('limit', text);
    }
    if (size > LABELS_MAX)
      throw new CodedError('limit', `a series has ${size} labels; at most ${LABELS_MAX} are stored`);
    const ref = this.#count + 1;
    const pairs = this.#pairsOf(size);
    for (let i = 0; i < size; i++) {
      const name = flat[i * 2]!;
      const value = flat[i * 2 + 1]!;
      pairs[i] = this.#known.find(name, value) || this.#internPair(name, value);
    }
    this.#reserve(ref, size);
    const { labelSets, series, control } = this.#tables;
    labelSets.u32[this.#labelWords] = size;
    for (let i = 0; i < size; i++) labelSets.u32[this.#labelWords + 1 + i] = pairs[i]!;
    series.u32[ref * SERIES_WORDS + SERIES_LABELS] = this.#labelWords;
    this.#labelWords += size + 1;
    this.#enter(ref, hashPairs(pairs, size));
    for (let i = 0; i < size; i++) this.#postings.append(pairs[i]!, ref);
    this.#count = ref;
    Atomics.store(control.i32, CONTROL.seriesCount, ref);
    return ref;
  }

  #findPair(name: string, value: string): PairId {
    const nameSymbol = this.#symbols.reader.find(name);
    const valueSymbol = nameSymbol < 0 ? -1 : this.#symbols.reader.find(value);
    const pair = valueSymbol < 0 ? 0 : this.#postings.reader.find(nameSymbol, valueSymbol);
    if (pair !== 0) this.#known.add(name, value, pair);
    return pair;
  }

  #internPair(name: string, value: string): PairId {
    const pair = this.#postings.intern(this.#symbols.intern(name), this.#symbols.intern(value));
    this.#known.add(name, value, pair);
    return pair;
  }

  /** All memory that the series will need, so that nothing fails half way. */
  #reserve(ref: SeriesRef, size: number): void {
    const { labelSets, series, publish, append } = this.#tables;
    labelSets.cover((this.#labelWords + size + 1) * 4);
    series.cover((ref + 1) * SERIES_WORDS * 4);
    publish.cover((ref + 1) * 4);
    append.cover((ref + 1) * APPEND_BYTES);
    this.#postings.reserve(size);
  }

  #pairsOf(size: number): Int32Array {
    if (size > this.#pairs.length) this.#pairs = new Int32Array(size * 2);
    return this.#pairs;
  }

  #lookUp(pairs: Int32Array, size: number, hash: number): SeriesRef {
    const slots = this.#slots;
    const mask = (slots.length >> 1) - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const ref = slots[slot * 2 + 1]!;
      if (ref === 0) return 0;
      if (slots[slot * 2] === hash && this.#hasPairs(ref, pairs, size)) return ref;
    }
  }

  #hasPairs(ref: SeriesRef, pairs: Int32Array, size: number): boolean {
    const at = this.#tables.series.u32[ref * SERIES_WORDS + SERIES_LABELS]!;
    const words = this.#tables.labelSets.u32;
    if (words[at] !== size) return false;
    for (let i = 0; i < size; i++) if (words[at + 1 + i] !== pairs[i]) return false;
    return true;
  }

  #enter(ref: SeriesRef, hash: number): void {
    if (ref * 8 > (this.#slots.length >> 1) * 5) this.#rehash();
    insert(this.#slots, hash, ref);
  }

  #rehash(): void {
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    for (let i = 0; i < old.length; i += 2) if (old[i + 1] !== 0) insert(slots, old[i]!, old[i + 1]!);
    this.#slots = slots;
  }
}

const KNOWN_PAIRS_MAX = 50_000;

/** Pairs met lately, by text: most labels of a new series are those of the one before, and V8 keeps texts' hashes. */
class KnownPairs {
  #recent = new Map<string, Map<string, PairId>>();
  #older = new Map<string, Map<string, PairId>>();
  #count = 0;

  /** 0 when it is not known here. */
  find(name: string, value: string): PairId {
    const pair = this.#recent.get(name)?.get(value);
    if (pair !== undefined) return pair;
    const older = this.#older.get(name)?.get(value);
    if (older === undefined) return 0;
    this.add(name, value, older);
    return older;
  }

  add(name: string, value: string, pair: PairId): void {
    if (this.#count >= KNOWN_PAIRS_MAX / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#count = 0;
    }
    let byValue = this.#recent.get(name);
    if (!byValue) {
      byValue = new Map();
      this.#recent.set(name, byValue);
    }
    byValue.set(value, pair);
    this.#count++;
  }
}

function insert(slots: Int32Array, hash: number, ref: SeriesRef): void {
  const mask = (slots.length >> 1) - 1;
  let slot = hash & mask;
  while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
  slots[slot * 2] = hash;
  slots[slot * 2 + 1] = ref;
}

function hashPairs(pairs: Int32Array, size: number): number {
  let hash = size;
  for (let i = 0; i < size; i++) hash = Math.imul(hash ^ pairs[i]!, 0x9e3779b1) ^ (hash >>> 15);
  return mix(hash);
}
