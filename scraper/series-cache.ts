// hot path: `matches` runs once per scraped line. Benchmark: bench/parse.bench.ts.
//
// What a target showed before, so that a body that looks like the last one costs a comparison of bytes per line. An
// entry is a line up to its value (a series as exposed, with its white space) or a whole comment line. Entries are
// chained in the order last seen: after a line was recognised, the next one is expected to be `next` of its entry. A line
// that is something else is looked up by hash and takes its place in the chain, so an inserted or vanished line costs one
// look-up and the lines after it are expected again.

/** Fields of an entry, words from `entry * STRIDE`. Entry 0 stands for the start of the body. */
export const STRIDE = 8;
const KEY = 0;
export const LENGTH = 1;
/** Samples: the series, DROPPED or UNRESOLVED. TYPE lines: index of the type. */
export const REF = 2;
export const NEXT = 3;
/** The scrape (a multiple of 4) that last saw the entry, with the bits TRACKED and WAS_LIVE. */
export const SEEN = 4;
export const KIND = 5;
const HASH = 6;
const CHAIN = 7;

export const KIND_SERIES = 0;
export const KIND_TYPE = 1;
export const KIND_HELP = 2;
export const KIND_COMMENT = 3;

/** Relabelling drops the series. */
export const DROPPED = 0;
/** Known bytes whose series must be asked for again: never stored, or too long ago for its reference to be sure. */
export const UNRESOLVED = 0xffff_ffff;

/** Gets a staleness marker when it is missing from the next scrape. */
export const TRACKED = 1;
/** Was tracked in the scrape before. */
export const WAS_LIVE = 2;

/** Bytes after the end of a body that `matches` may read (and ignore). */
export const BODY_PADDING_BYTES = 8;

export class SeriesCache {
  /** Re-read after `add`: it is replaced when it grows. */
  fields = new Uint32Array(STRIDE * 16);
  /** Entries in use, entry 0 included. */
  count = 1;
  #words = new Int32Array(256);
  #wordCount = 0;
  #buckets = new Uint32Array(16);
  readonly #seed: number;

  /** `seed`: any 32 bits, so that a target cannot choose keys that collide. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** True when the bytes at `position` begin with the entry's key. */
  matches(entry: number, view: DataView, position: number, end: number): boolean {
    const at = entry * STRIDE;
    const length = this.fields[at + LENGTH]!;
    if (position + length > end) return false;
    const words = this.#words;
    let word = this.fields[at + KEY]!;
    const last = position + (length & ~3);
    for (let i = position; i < last; i += 4) if (view.getInt32(i, true) !== words[word++]) return false;
    const tail = length & 3;
    return tail === 0 || (view.getInt32(last, true) ^ words[word]!) << (32 - tail * 8) === 0;
  }

  /** The entry whose key is exactly `[start, end)`, or 0. */
  find(view: DataView, start: number, end: number): number {
    const hash = this.#hash(view, start, end);
    const fields = this.fields;
    let entry = this.#buckets[hash & (this.#buckets.length - 1)]!;
    while (entry !== 0) {
      const at = entry * STRIDE;
      if (fields[at + HASH] === hash && fields[at + LENGTH] === end - start && this.matches(entry, view, start, end))
        break;
      entry = fields[at + CHAIN]!;
    }
    return entry;
  }

  /** A new entry with the key `[start, end)`, unresolved and not seen yet. */
  add(view: DataView, start: number, end: number, kind: number): number {
    const length = end - start;
    const keyWords = (length + 3) >> 2;
    this.#reserve(keyWords);
    const words = this.#words;
    const word = this.#wordCount;
    for (let i = 0; i < keyWords; i++) words[word + i] = view.getInt32(start + i * 4, true);
    const tail = length & 3;
    if (tail !== 0) words[word + keyWords - 1]! &= (1 << (tail * 8)) - 1;
    this.#wordCount += keyWords;

    const entry = this.count++;
    const at = entry * STRIDE;
    this.fields[at + KEY] = word;
    this.fields[at + LENGTH] = length;
    this.fields[at + REF] = UNRESOLVED;
    this.fields[at + NEXT] = 0;
    this.fields[at + SEEN] = 0;
    this.fields[at + KIND] = kind;
    this.fields[at + HASH] = this.#hash(view, start, end);
    this.#link(entry);
    return entry;
  }

  /** The bytes of an entry's key. */
  keyBytes(entry: number): Buffer {
    const at = entry * STRIDE;
    const words = this.#words;
    return Buffer.from(words.buffer, words.byteOffset + this.fields[at + KEY]! * 4, this.fields[at + LENGTH]!);
  }

  /** Forgets entries that no scrape from `seenMin` on saw, and those without a series. Entry numbers change. */
  compact(seenMin: number): void {
    const old = this.fields;
    const oldCount = this.count;
    const oldWords = this.#words;
    const renamed = new Uint32Array(oldCount);
    let count = 1;
    let wordCount = 0;
    for (let entry = 1; entry < oldCount; entry++) {
      const at = entry * STRIDE;
      if (old[at + SEEN]! < seenMin || old[at + REF] === UNRESOLVED) continue;
      renamed[entry] = count++;
      wordCount += (old[at + LENGTH]! + 3) >> 2;
    }
    this.fields = new Uint32Array(STRIDE * Math.max(16, Math.ceil(count * 1.25)));
    this.#words = new Int32Array(Math.max(256, Math.ceil(wordCount * 1.25)));
    this.#wordCount = 0;
    this.count = count;
    for (let entry = 0; entry < oldCount; entry++) {
      const to = renamed[entry]! * STRIDE;
      if (to === 0 && entry !== 0) continue;
      const at = entry * STRIDE;
      this.fields.set(old.subarray(at, at + STRIDE), to);
      this.fields[to + NEXT] = renamed[old[at + NEXT]!]!;
      const keyWords = (old[at + LENGTH]! + 3) >> 2;
      this.#words.set(oldWords.subarray(old[at + KEY]!, old[at + KEY]! + keyWords), this.#wordCount);
      this.fields[to + KEY] = this.#wordCount;
      this.#wordCount += keyWords;
    }
    this.#rehash();
  }

  #hash(view: DataView, start: number, end: number): number {
    let hash = this.#seed ^ (end - start);
    const last = start + ((end - start) & ~3);
    for (let i = start; i < last; i += 4) {
      hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const tail = (end - start) & 3;
    if (tail !== 0) {
      hash = Math.imul(hash ^ (view.getInt32(last, true) & ((1 << (tail * 8)) - 1)), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  #reserve(keyWords: number): void {
    if ((this.count + 1) * STRIDE > this.fields.length) {
      const fields = new Uint32Array(this.fields.length * 2);
      fields.set(this.fields);
      this.fields = fields;
    }
    if (this.#wordCount + keyWords > this.#words.length) {
      const words = new Int32Array(Math.max(this.#words.length * 2, this.#wordCount + keyWords));
      words.set(this.#words);
      this.#words = words;
    }
    if (this.count >= this.#buckets.length) this.#rehash();
  }

  #rehash(): void {
    let size = 16;
    while (size <= this.count) size *= 2;
    this.#buckets = new Uint32Array(size);
    for (let entry = 1; entry < this.count; entry++) this.#link(entry);
  }

  #link(entry: number): void {
    const at = entry * STRIDE;
    const bucket = this.fields[at + HASH]! & (this.#buckets.length - 1);
    this.fields[at + CHAIN] = this.#buckets[bucket]!;
    this.#buckets[bucket] = entry;
  }
}
