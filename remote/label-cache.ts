// hot path: one look-up per series of a remote-write request. Benchmark: bench/remote-write.bench.ts.
import type { SeriesRef } from '../model/sample.ts';
import type { Random } from '../util/host.ts';

/** Words of a slot: three of the hash, then the reference (0: empty). */
const STRIDE = 4;
const CAPACITY_MIN = 1024;
/** Entries at most; a full cache is emptied and fills again with what is in use. */
const ENTRIES_MAX = 4 * 1024 * 1024;

/**
 * Which series the bytes of a request's labels mean. It keeps 96 bits of a hash under random keys instead of the bytes:
 * 16 bytes a slot, and a mix-up of two series is as unlikely as a guess of those bits, also for a sender who tries.
 */
export class LabelCache {
  #slots = new Uint32Array(CAPACITY_MIN * STRIDE);
  #mask = CAPACITY_MIN - 1;
  #count = 0;
  readonly #keys: Uint32Array;
  #h1 = 0;
  #h2 = 0;
  #h3 = 0;

  constructor(random: Random) {
    this.#keys = Uint32Array.from({ length: 6 }, () => (random.next() * 2 ** 32) | 1);
  }

  /** The series of these bytes, 0 when it is not known. `add` then adds the same bytes. */
  find(view: DataView, start: number, end: number): SeriesRef {
    this.#hash(view, start, end);
    const slots = this.#slots;
    const at = this.#place();
    return slots[at + 3]!;
  }

  /** Remembers the series of the bytes that `find` was last called with. */
  add(ref: SeriesRef): void {
    if (this.#count >= ENTRIES_MAX) this.clear();
    if (this.#count * 2 > this.#mask) this.#grow();
    const slots = this.#slots;
    const at = this.#place();
    if (slots[at + 3] === 0) this.#count++;
    slots[at] = this.#h1;
    slots[at + 1] = this.#h2;
    slots[at + 2] = this.#h3;
    slots[at + 3] = ref;
  }

  clear(): void {
    this.#slots = new Uint32Array(CAPACITY_MIN * STRIDE);
    this.#mask = CAPACITY_MIN - 1;
    this.#count = 0;
  }

  /** The slot of the hash at hand, or the empty one where it belongs. */
  #place(): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const h1 = this.#h1;
    const h2 = this.#h2;
    const h3 = this.#h3;
    let slot = h1 & mask;
    for (;;) {
      const at = slot * STRIDE;
      if (slots[at + 3] === 0) return at;
      if (slots[at] === h1 && slots[at + 1] === h2 && slots[at + 2] === h3) return at;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    const capacity = (this.#mask + 1) * 2;
    this.#slots = new Uint32Array(capacity * STRIDE);
    this.#mask = capacity - 1;
    const found: readonly [number, number, number] = [this.#h1, this.#h2, this.#h3];
    for (let at = 0; at < old.length; at += STRIDE) {
      if (old[at + 3] === 0) continue;
      this.#h1 = old[at]!;
      this.#h2 = old[at + 1]!;
      this.#h3 = old[at + 2]!;
      this.#slots.set(old.subarray(at, at + STRIDE), this.#place());
    }
    [this.#h1, this.#h2, this.#h3] = found;
  }

  /** Three multiplicative hashes with keys of their own over 32-bit words, then avalanched. */
  #hash(view: DataView, start: number, end: number): void {
    const keys = this.#keys;
    const k1 = keys[3]!;
    const k2 = keys[4]!;
    const k3 = keys[5]!;
    const length = end - start;
    let h1 = keys[0]! ^ length;
    let h2 = keys[1]! ^ length;
    let h3 = keys[2]! ^ length;
    const wordsEnd = end - 3;
    let at = start;
    for (; at < wordsEnd; at += 4) {
      const word = view.getInt32(at, true);
      h1 = Math.imul(h1 ^ word, k1);
      h1 ^= h1 >>> 15;
      h2 = Math.imul(h2 ^ word, k2);
      h2 ^= h2 >>> 13;
      h3 = Math.imul(h3 ^ word, k3);
      h3 ^= h3 >>> 16;
    }
    let tail = 0;
    for (; at < end; at++) tail = (tail << 8) | view.getUint8(at);
    this.#h1 = avalanche(h1 ^ Math.imul(tail, k2)) >>> 0;
    this.#h2 = avalanche(h2 ^ Math.imul(tail, k3)) >>> 0;
    this.#h3 = avalanche(h3 ^ Math.imul(tail, k1)) >>> 0;
  }
}

/** The finalizer of MurmurHash3. */
function avalanche(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
