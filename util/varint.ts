// hot path. LEB128 as Go's encoding/binary writes it: unsigned, and signed by zig-zag. Numbers are safe integers; a
// 64-bit value beyond them is an error to the reader, never a rounded number.

/** Most bytes a 64-bit varint takes. */
export const VARINT_BYTES_MAX = 10;
const TWO_28 = 2 ** 28;

/** Writes an unsigned integer below 2^53 at `offset`; returns the offset after it. The caller has made room. */
export function putUvarint(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  while (rest >= TWO_28) {
    bytes[offset++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  let small = rest | 0;
  while (small > 127) {
    bytes[offset++] = (small & 0x7f) | 0x80;
    small >>>= 7;
  }
  bytes[offset++] = small;
  return offset;
}

/** Writes a signed integer of magnitude up to 2^52 at `offset`; returns the offset after it. */
export function putVarint(bytes: Uint8Array, offset: number, value: number): number {
  return putUvarint(bytes, offset, value < 0 ? -2 * value - 1 : 2 * value);
}

/** Bytes that putUvarint will take. */
export function uvarintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/**
 * Reads varints from bytes[offset, end). `ok` turns false, and stays so, at the first one that is cut off, longer than 64
 * bits or not a safe integer; from then on every read gives 0. So a loop reads on and asks once.
 */
export class VarintCursor {
  bytes: Uint8Array;
  offset = 0;
  end = 0;
  ok = true;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  reset(bytes: Uint8Array, offset: number, end: number): void {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
    this.ok = true;
  }

  /** An unsigned integer below 2^53. */
  uvarint(): number {
    const value = this.#raw();
    return value <= Number.MAX_SAFE_INTEGER ? value : this.#fail();
  }

  /** A signed integer of magnitude up to 2^52. */
  varint(): number {
    const offset = this.offset;
    if (offset < this.end) {
      const byte = this.bytes[offset]!;
      if (byte < 128) {
        this.offset = offset + 1;
        return (byte >>> 1) ^ -(byte & 1);
      }
    }
    const raw = this.uvarint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  #raw(): number {
    const { bytes, end } = this;
    let offset = this.offset;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX && offset < end; i++) {
      const byte = bytes[offset++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 128) {
        this.offset = offset;
        return value;
      }
      scale *= 128;
    }
    return this.#fail();
  }

  #fail(): number {
    this.ok = false;
    this.offset = this.end;
    return 0;
  }
}
