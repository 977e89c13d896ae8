import { assert } from './assert.ts';
import { CodedError } from './errors.ts';
import { putUvarint, putVarint, VARINT_BYTES_MAX } from './varint.ts';

/** No buffer of ours grows beyond this; reaching it is an error, not an allocation. */
const WRITER_BYTES_MAX = 2 ** 31 - 1;

/**
 * A byte buffer that grows as it is written; integers are big-endian. `bytes` and `view` are replaced by growth: after
 * `reserve(n)` a hot loop may take them, write up to n bytes at `length` itself, and then set `length`.
 */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView;
  length = 0;

  constructor(capacity = 1024) {
    assert(capacity > 0, 'writer capacity');
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer, 0, capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written, as a view lent until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes room for `sizeBytes` more. */
  reserve(sizeBytes: number): void {
    const needed = this.length + sizeBytes;
    if (needed <= this.bytes.length) return;
    if (needed > WRITER_BYTES_MAX)
      throw new CodedError('limit', `a buffer would grow beyond ${WRITER_BYTES_MAX} bytes`);
    const capacity = Math.min(WRITER_BYTES_MAX, Math.max(needed, this.bytes.length * 2));
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer, 0, capacity);
  }

  uint8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value);
    this.length += 2;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value);
    this.length += 4;
  }

  /** A 64-bit field from a safe integer; negative ones as two's complement. */
  int64(value: number): void {
    this.reserve(8);
    this.view.setInt32(this.length, Math.floor(value / 2 ** 32));
    this.view.setUint32(this.length + 4, value >>> 0);
    this.length += 8;
  }

  uvarint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    this.length = putUvarint(this.bytes, this.length, value);
  }

  varint(value: number): void {
    this.reserve(VARINT_BYTES_MAX);
    this.length = putVarint(this.bytes, this.length, value);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  zeros(count: number): void {
    this.reserve(count);
    this.bytes.fill(0, this.length, this.length + count);
    this.length += count;
  }

  /** uvarint length, then the text as UTF-8. */
  text(text: string): void {
    const length = text.length;
    this.reserve(VARINT_BYTES_MAX + length * 3);
    if (length < 128 && this.#ascii(text)) return;
    // At most three bytes per UTF-16 unit; the length is known only after encoding, so encode behind the widest one.
    const at = this.length + VARINT_BYTES_MAX;
    const { written } = encoder.encodeInto(text, this.bytes.subarray(at));
    const start = putUvarint(this.bytes, this.length, written);
    this.bytes.copyWithin(start, at, at + written);
    this.length = start + written;
  }

  /** Short ASCII, which is nearly every label: one byte of length and no encoder. False when it is not. */
  #ascii(text: string): boolean {
    const bytes = this.bytes;
    const start = this.length + 1;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) return false;
      bytes[start + i] = unit;
    }
    bytes[this.length] = text.length;
    this.length = start + text.length;
    return true;
  }
}

const encoder = new TextEncoder();
