// hot path. The inverted index in memory: every label pair of the head with the refs of its series, ascending.
import type { SeriesRef } from '../../model/sample.ts';
import { loadRegion, mix, PAIR_SLOTS, type SharedSlots } from './shared-slots.ts';
import type { SymbolId } from './symbols.ts';
import { CONTROL, type HeadTables } from './tables.ts';

/** Number of a (name, value) pair in the head; 0 is none. The pair (name, '') stands for the name itself. */
export type PairId = number;

const PAIR_WORDS = 7;
const NAME = 0;
const VALUE = 1;
/** The first ref, kept here so that a pair of one series needs no block. In a name: unused. */
const FIRST = 2;
/** First block of the refs after the first. In a name: its value pair added last; the others are chained from it. */
const HEAD = 3;
const TAIL = 4;
/** Refs, or a name's values. Published by Atomics.store after what it counts. */
const COUNT = 5;
/** The value pair, or the name, that was added before. */
const NEXT = 6;

const BLOCK_WORDS = 16;
const BLOCK_REFS = 15;

/** The index as any thread reads it. */
export class PostingsReader {
  readonly tables: HeadTables;
  readonly #region = { base: 0, mask: -1 };

  constructor(tables: HeadTables) {
    this.tables = tables;
  }

  /** The pair's id; 0 when no series has it. `value` 0 finds the name. */
  find(name: SymbolId, value: SymbolId): PairId {
    const tables = this.tables;
    const region = this.#region;
    loadRegion(tables, PAIR_SLOTS, region);
    if (region.mask < 0) return 0;
    const words = tables.slots.i32;
    for (let slot = hashPair(name, value) & region.mask; ; slot = (slot + 1) & region.mask) {
      const id = Atomics.load(words, region.base + slot);
      if (id === 0) return 0;
      this.#cover(id);
      const at = id * PAIR_WORDS;
      if (tables.pairs.u32[at] === name && tables.pairs.u32[at + VALUE] === value) return id;
    }
  }

  nameOf(pair: PairId): SymbolId {
    return this.tables.pairs.u32[pair * PAIR_WORDS + NAME]!;
  }

  valueOf(pair: PairId): SymbolId {
    return this.tables.pairs.u32[pair * PAIR_WORDS + VALUE]!;
  }

  /** Series that have the pair, or values that the name has. */
  countOf(pair: PairId): number {
    return pair === 0 ? 0 : Atomics.load(this.tables.pairs.i32, pair * PAIR_WORDS + COUNT);
  }

  /** The value pairs of a name, the newest first. */
  valuesOf(name: PairId): PairId[] {
    if (name === 0) return [];
    return this.#chain(Atomics.load(this.tables.pairs.i32, name * PAIR_WORDS + HEAD));
  }

  /** All names, the newest first. */
  names(): PairId[] {
    return this.#chain(Atomics.load(this.tables.control.i32, CONTROL.lastName));
  }

  /** Writes the pair's refs up to `refMax`, ascending, from out[offset] on; returns the offset after the last. */
  refsInto(pair: PairId, refMax: SeriesRef, out: Uint32Array, offset: number): number {
    const count = Math.min(this.countOf(pair), out.length - offset);
    if (count === 0) return offset;
    const { pairs, postings } = this.tables;
    const at = pair * PAIR_WORDS;
    const first = pairs.u32[at + FIRST]!;
    if (first > refMax) return offset;
    out[offset++] = first;
    let block = pairs.u32[at + HEAD]!;
    for (let left = count - 1; left > 0; left -= BLOCK_REFS) {
      if ((block + 1) * BLOCK_WORDS > postings.u32.length) postings.refresh();
      const words = postings.u32;
      const base = block * BLOCK_WORDS;
      const inBlock = Math.min(left, BLOCK_REFS);
      for (let i = 0; i < inBlock; i++) {
        const ref = words[base + i]!;
        if (ref > refMax) return offset;
        out[offset++] = ref;
      }
      block = words[base + BLOCK_REFS]!;
    }
    return offset;
  }

  #chain(last: PairId): PairId[] {
    const found: PairId[] = [];
    for (let pair = last; pair !== 0; pair = this.tables.pairs.u32[pair * PAIR_WORDS + NEXT]!) {
      this.#cover(pair);
      found.push(pair);
    }
    return found;
  }

  #cover(pair: PairId): void {
    if ((pair + 1) * PAIR_WORDS > this.tables.pairs.u32.length) this.tables.pairs.refresh();
  }
}

/** The writer's: adds pairs and refs. */
export class Postings {
  readonly reader: PostingsReader;
  readonly #tables: HeadTables;
  readonly #slots: SharedSlots;
  readonly #region = { base: 0, mask: -1 };
  #count = 0;
  #nameCount = 0;
  #blockCount = 1;

  constructor(tables: HeadTables, slots: SharedSlots) {
    this.reader = new PostingsReader(tables);
    this.#tables = tables;
    this.#slots = slots;
  }

  /** Distinct (name, value) pairs. */
  get valuePairCount(): number {
    return this.#count - this.#nameCount;
  }

  /** The pair's id, added when it is new. Throws `limit` when memory ends. */
  intern(name: SymbolId, value: SymbolId): PairId {
    const found = this.reader.find(name, value);
    if (found !== 0) return found;
    const nameRecord = this.reader.find(name, 0) || this.#addName(name);
    const pair = this.#add(name, value, this.#tables.pairs.u32[nameRecord * PAIR_WORDS + HEAD]!);
    const words = this.#tables.pairs.i32;
    Atomics.store(words, nameRecord * PAIR_WORDS + HEAD, pair);
    Atomics.store(words, nameRecord * PAIR_WORDS + COUNT, words[nameRecord * PAIR_WORDS + COUNT]! + 1);
    return pair;
  }

  /** Makes room for `pairCount` refs, so that `append` cannot fail. */
  reserve(pairCount: number): void {
    this.#tables.postings.cover((this.#blockCount + pairCount) * BLOCK_WORDS * 4);
  }

  /** Adds a ref, greater than all the pair has. Room was reserved. */
  append(pair: PairId, ref: SeriesRef): void {
    const words = this.#tables.pairs.i32;
    const blocks = this.#tables.postings.u32;
    const at = pair * PAIR_WORDS;
    const count = words[at + COUNT]!;
    if (count === 0) words[at + FIRST] = ref;
    else {
      const inBlock = (count - 1) % BLOCK_REFS;
      if (inBlock === 0) {
        const block = this.#blockCount++;
        if (count === 1) words[at + HEAD] = block;
        else blocks[words[at + TAIL]! * BLOCK_WORDS + BLOCK_REFS] = block;
        words[at + TAIL] = block;
      }
      blocks[words[at + TAIL]! * BLOCK_WORDS + inBlock] = ref;
    }
    Atomics.store(words, at + COUNT, count + 1);
  }

  #addName(name: SymbolId): PairId {
    const pair = this.#add(name, 0, this.#tables.control.i32[CONTROL.lastName]!);
    this.#nameCount++;
    Atomics.store(this.#tables.control.i32, CONTROL.lastName, pair);
    return pair;
  }

  #add(name: SymbolId, value: SymbolId, next: PairId): PairId {
    const { pairs, control } = this.#tables;
    const pair = this.#count + 1;
    pairs.cover((pair + 1) * PAIR_WORDS * 4);
    this.#slots.reserve(PAIR_SLOTS, this.#count, this.#hashOf);
    const at = pair * PAIR_WORDS;
    pairs.u32[at + NAME] = name;
    pairs.u32[at + VALUE] = value;
    pairs.u32[at + NEXT] = next;
    this.#count = pair;
    loadRegion(this.#tables, PAIR_SLOTS, this.#region);
    this.#slots.insert(this.#region, hashPair(name, value), pair);
    Atomics.store(control.i32, CONTROL.pairCount, pair);
    return pair;
  }

  readonly #hashOf = (pair: PairId): number => hashPair(this.reader.nameOf(pair), this.reader.valueOf(pair));
}

function hashPair(name: SymbolId, value: SymbolId): number {
  return mix(Math.imul(name, 0x9e3779b1) ^ value);
}
