/** A 64-bit hash as two unsigned 32-bit words. */
export interface Hash64 {
  readonly hi: number;
  readonly lo: number;
}

/** A 64-bit number that is changed in place: no BigInt, which is many times slower. */
class Word64 {
  hi: number;
  lo: number;

  constructor(hi: number, lo: number) {
    this.hi = hi >>> 0;
    this.lo = lo >>> 0;
  }

  set(other: Hash64): this {
    this.hi = other.hi;
    this.lo = other.lo;
    return this;
  }

  add(hi: number, lo: number): this {
    const low = this.lo + (lo >>> 0);
    this.hi = (this.hi + (hi >>> 0) + (low > 0xffffffff ? 1 : 0)) >>> 0;
    this.lo = low >>> 0;
    return this;
  }

  xor(hi: number, lo: number): this {
    this.hi = (this.hi ^ hi) >>> 0;
    this.lo = (this.lo ^ lo) >>> 0;
    return this;
  }

  /** Modulo 2^64, from products of 16-bit pieces, which are exact. */
  multiply({ hi, lo }: Hash64): this {
    const a0 = this.lo & 0xffff;
    const a1 = this.lo >>> 16;
    const b0 = lo & 0xffff;
    const b1 = lo >>> 16;
    const low = a0 * b0;
    const middle = a1 * b0 + (low >>> 16);
    const middle2 = a0 * b1 + (middle & 0xffff);
    const carry = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(middle2 / 0x10000);
    const high = (Math.imul(this.hi, lo) + Math.imul(this.lo, hi) + carry) >>> 0;
    this.lo = (((middle2 & 0xffff) << 16) | (low & 0xffff)) >>> 0;
    this.hi = high;
    return this;
  }

  /** `bits` is 1 to 31. */
  rotateLeft(bits: number): this {
    const { hi, lo } = this;
    this.hi = ((hi << bits) | (lo >>> (32 - bits))) >>> 0;
    this.lo = ((lo << bits) | (hi >>> (32 - bits))) >>> 0;
    return this;
  }

  /** Exclusive or with itself shifted right; `bits` is 1 to 63. */
  xorShiftRight(bits: number): this {
    const { hi, lo } = this;
    if (bits >= 32) return this.xor(0, hi >>> (bits - 32));
    return this.xor(hi >>> bits, ((hi << (32 - bits)) | (lo >>> bits)) >>> 0);
  }
}

const PRIME1: Hash64 = { hi: 0x9e3779b1, lo: 0x85ebca87 };
const PRIME2: Hash64 = { hi: 0xc2b2ae3d, lo: 0x27d4eb4f };
const PRIME3: Hash64 = { hi: 0x165667b1, lo: 0x9e3779f9 };
const PRIME4: Hash64 = { hi: 0x85ebca77, lo: 0xc2b2ae63 };
const PRIME5: Hash64 = { hi: 0x27d4eb2f, lo: 0x165667c5 };
const STRIPE_BYTES = 32;

/** xxHash64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), the hash Prometheus takes of label sets. */
export function xxHash64(bytes: Uint8Array): Hash64 {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length;
  let offset = 0;
  const hash = new Word64(PRIME5.hi, PRIME5.lo);
  if (size >= STRIPE_BYTES) {
    const lanes = [
      new Word64(PRIME1.hi, PRIME1.lo).add(PRIME2.hi, PRIME2.lo),
      new Word64(PRIME2.hi, PRIME2.lo),
      new Word64(0, 0),
      new Word64(~PRIME1.hi, ~PRIME1.lo).add(0, 1),
    ];
    for (; offset + STRIPE_BYTES <= size; offset += STRIPE_BYTES) {
      lanes.forEach((lane, i) =>
        round(lane, view.getUint32(offset + 8 * i + 4, true), view.getUint32(offset + 8 * i, true)),
      );
    }
    mergeLanes(hash, lanes);
  }
  hash.add(0, size);
  for (; offset + 8 <= size; offset += 8) {
    const lane = round(new Word64(0, 0), view.getUint32(offset + 4, true), view.getUint32(offset, true));
    hash.xor(lane.hi, lane.lo).rotateLeft(27).multiply(PRIME1).add(PRIME4.hi, PRIME4.lo);
  }
  if (offset + 4 <= size) {
    const word = new Word64(0, view.getUint32(offset, true)).multiply(PRIME1);
    hash.xor(word.hi, word.lo).rotateLeft(23).multiply(PRIME2).add(PRIME3.hi, PRIME3.lo);
    offset += 4;
  }
  for (; offset < size; offset++) {
    const word = new Word64(0, bytes[offset]!).multiply(PRIME5);
    hash.xor(word.hi, word.lo).rotateLeft(11).multiply(PRIME1);
  }
  hash.xorShiftRight(33).multiply(PRIME2).xorShiftRight(29).multiply(PRIME3).xorShiftRight(32);
  return { hi: hash.hi, lo: hash.lo };
}

function round(lane: Word64, hi: number, lo: number): Word64 {
  const input = new Word64(hi, lo).multiply(PRIME2);
  return lane.add(input.hi, input.lo).rotateLeft(31).multiply(PRIME1);
}

const LANE_ROTATIONS = [1, 7, 12, 18];

function mergeLanes(hash: Word64, lanes: readonly Word64[]): void {
  hash.set({ hi: 0, lo: 0 });
  lanes.forEach((lane, i) => {
    const rotated = new Word64(lane.hi, lane.lo).rotateLeft(LANE_ROTATIONS[i]!);
    hash.add(rotated.hi, rotated.lo);
  });
  for (const lane of lanes) {
    const folded = round(new Word64(0, 0), lane.hi, lane.lo);
    hash.xor(folded.hi, folded.lo).multiply(PRIME1).add(PRIME4.hi, PRIME4.lo);
  }
}
