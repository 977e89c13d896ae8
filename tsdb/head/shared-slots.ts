import { CONTROL, type HeadTables } from './tables.ts';
import { EpochClock } from './epochs.ts';

const SLOTS_LOG2_MIN = 12;

interface Retired {
  readonly base: number;
  readonly log2: number;
  readonly epoch: number;
}

/** Where a hash region is: word offset and slot mask. */
export interface SlotRegion {
  base: number;
  mask: number;
}

/** Reads the region of a hash, with a view long enough for it. */
export function loadRegion(tables: HeadTables, controlWord: number, into: SlotRegion): void {
  const descriptor = Atomics.load(tables.control.i32, controlWord);
  into.base = (descriptor >>> 5) * 32;
  into.mask = descriptor === 0 ? -1 : (1 << (descriptor & 31)) - 1;
  if (into.base + into.mask >= tables.slots.u32.length) tables.slots.refresh();
}

/**
 * Writer's side of the shared hashes: open addressing, ids in slots, 0 empty. Growing copies into a new region, publishes
 * it, and retires the old one, which any of the hashes may take over when no reader can be in it.
 */
export class SharedSlots {
  readonly #tables: HeadTables;
  readonly #epochs: EpochClock;
  readonly #retired: Retired[] = [];
  /** Word offset where nothing was given out yet; region 0 is never used, so that a descriptor is never 0. */
  #end = 32;

  constructor(tables: HeadTables, epochs: EpochClock) {
    this.#tables = tables;
    this.#epochs = epochs;
  }

  /** Makes room for one more entry: at most 5/8 of the slots are used. `hashOf` gives the hash of an id there is. */
  reserve(controlWord: number, count: number, hashOf: (id: number) => number): void {
    const descriptor = this.#tables.control.i32[controlWord]!;
    const log2 = descriptor & 31;
    if (descriptor !== 0 && (count + 1) * 8 <= (1 << log2) * 5) return;
    const grownLog2 = descriptor === 0 ? SLOTS_LOG2_MIN : log2 + 1;
    const base = this.#allocate(grownLog2);
    const words = this.#tables.slots.i32;
    const mask = (1 << grownLog2) - 1;
    for (let id = 1; id <= count; id++) {
      let slot = hashOf(id) & mask;
      while (words[base + slot] !== 0) slot = (slot + 1) & mask;
      words[base + slot] = id;
    }
    Atomics.store(this.#tables.control.i32, controlWord, (base / 32) * 32 + grownLog2);
    if (descriptor === 0) return;
    this.#retired.push({ base: (descriptor >>> 5) * 32, log2, epoch: this.#epochs.retire() });
    this.#epochs.advance();
  }

  /** Enters `id`, which was fully written before. `reserve` was called. */
  insert(region: SlotRegion, hash: number, id: number): void {
    const words = this.#tables.slots.i32;
    let slot = hash & region.mask;
    while (words[region.base + slot] !== 0) slot = (slot + 1) & region.mask;
    Atomics.store(words, region.base + slot, id);
  }

  #allocate(log2: number): number {
    const oldest = this.#epochs.oldestHeld();
    const index = this.#retired.findIndex((old) => old.log2 === log2 && EpochClock.isFree(old.epoch, oldest));
    if (index >= 0) {
      const { base } = this.#retired.splice(index, 1)[0]!;
      this.#tables.slots.i32.fill(0, base, base + (1 << log2));
      return base;
    }
    const base = this.#end;
    this.#tables.slots.cover((base + (1 << log2)) * 4);
    this.#end = base + (1 << log2);
    return base;
  }
}

/** Spreads the bits of a hash made by multiplication. */
export function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

export const SYMBOL_SLOTS = CONTROL.symbolSlots;
export const PAIR_SLOTS = CONTROL.pairSlots;
