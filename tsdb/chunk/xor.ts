// hot path. Gorilla XOR chunks, byte-equal to Prometheus'; layout: docs/format/chunk-xor.md. Values are moved as two
// 32-bit words, never as numbers, so that the staleness marker keeps its bits (STYLE H6). Figures: bench/chunk.bench.ts.
import type { SampleColumns } from '../../model/sample.ts';
import { CorruptionError } from '../../util/errors.ts';
import { STALE_NAN_HI, STALE_NAN_LO } from '../../util/float-bits.ts';
import { CHUNK_HEADER_BYTES } from './chunk.ts';

/** No sample takes more bytes: 4 + 64 bits of time, 2 + 5 + 6 + 64 of value; the first has 10 + 8. */
export const XOR_SAMPLE_BYTES_MAX = 19;
/** Appending may write, and decoding what was appended may read, this many bytes behind a chunk's last one. */
export const XOR_SLACK_BYTES = 8;
/** Decoding bytes that may be damaged may read this many behind the last one. */
export const XOR_DECODE_SLACK_BYTES = 32;
/** `leading` before the first changed value. */
export const XOR_NO_WINDOW = 255;

const TWO_32 = 2 ** 32;

/**
 * Appends samples to one chunk at a time. Its fields are the whole state: who keeps many open chunks stores and loads
 * them. `view` at `base` must have room for XOR_SAMPLE_BYTES_MAX + XOR_SLACK_BYTES more; bits behind the end become
 * zero. Bits already written never change (ARCHITECTURE section 3, rule 2).
 */
export class XorAppender {
  view: DataView;
  /** Offset of the chunk's header in `view`. */
  base = 0;
  count = 0;
  /** Bits written, the header's included. */
  bits = 0;
  time = 0;
  delta = 0;
  /** Bits of the last value. */
  hi = 0;
  lo = 0;
  leading = XOR_NO_WINDOW;
  trailing = 0;

  constructor(view: DataView) {
    this.view = view;
  }

  /** Begins an empty chunk at `base`. */
  begin(view: DataView, base: number): void {
    this.view = view;
    this.base = base;
    this.count = 0;
    this.bits = CHUNK_HEADER_BYTES * 8;
    this.leading = XOR_NO_WINDOW;
    this.trailing = 0;
    view.setUint16(base, 0);
  }

  /** Bytes of the chunk so far. */
  get sizeBytes(): number {
    return (this.bits + 7) >>> 3;
  }

  /** Appends a sample: time in ms, a safe integer greater than the last; value bits as two words. */
  append(time: number, hi: number, lo: number): void {
    const count = this.count;
    if (count < 2) this.#appendEarly(time, hi, lo);
    else {
      const delta = time - this.time;
      const dod = delta - this.delta;
      this.delta = delta;
      this.time = time;
      const xorHi = hi ^ this.hi;
      const xorLo = lo ^ this.lo;
      if (dod === 0 && (xorHi | xorLo) === 0) this.#put(0, 2);
      else {
        if (dod === 0) this.#put(0, 1);
        else this.#putDod(dod);
        this.#putValue(xorHi, xorLo);
        this.hi = hi;
        this.lo = lo;
      }
    }
    this.count = count + 1;
    this.view.setUint16(this.base, count + 1);
  }

  /** Takes up a chunk of `count` samples at `base` where it ends. Throws CorruptionError when it is cut off. */
  resume(view: DataView, base: number, sizeBytes: number): void {
    const cursor = new XorCursor();
    cursor.open(view, base, sizeBytes);
    while (cursor.next());
    this.view = view;
    this.base = base;
    this.count = cursor.index;
    this.bits = cursor.bits;
    this.time = cursor.time;
    this.delta = cursor.delta;
    this.hi = cursor.hi;
    this.lo = cursor.lo;
    this.leading = cursor.leading;
    this.trailing = cursor.trailing;
  }

  #appendEarly(time: number, hi: number, lo: number): void {
    if (this.count === 0) {
      this.#putVarint(time);
      this.#put(hi, 32);
      this.#put(lo, 32);
      this.delta = 0;
    } else {
      this.delta = time - this.time;
      this.#putUvarint(this.delta);
      this.#putValue(hi ^ this.hi, lo ^ this.lo);
    }
    this.time = time;
    this.hi = hi;
    this.lo = lo;
  }

  /** Writes the low `width` (1-32) bits of `value`; the bits above must be zero unless width is 32. */
  #put(value: number, width: number): void {
    const bits = this.bits;
    const view = this.view;
    const at = this.base + (bits >>> 3);
    const used = bits & 7;
    const left = value << (32 - width);
    const head = used === 0 ? 0 : view.getUint8(at) << 24;
    view.setInt32(at, head | (left >>> used));
    if (used + width > 32) view.setUint8(at + 4, (left << (8 - used)) & 0xff);
    this.bits = bits + width;
  }

  #putDod(dod: number): void {
    if (dod >= -8191 && dod <= 8192) this.#put(0x8000 | (dod & 0x3fff), 16);
    else if (dod >= -65_535 && dod <= 65_536) this.#put(0xc0000 | (dod & 0x1ffff), 20);
    else if (dod >= -524_287 && dod <= 524_288) this.#put(0xe00000 | (dod & 0xfffff), 24);
    else {
      this.#put(0xf, 4);
      this.#put(Math.floor(dod / TWO_32) | 0, 32);
      this.#put(dod | 0, 32);
    }
  }

  #putValue(xorHi: number, xorLo: number): void {
    if ((xorHi | xorLo) === 0) return this.#put(0, 1);
    let leading = xorHi === 0 ? 32 + Math.clz32(xorLo) : Math.clz32(xorHi);
    if (leading > 31) leading = 31;
    const trailing = xorLo === 0 ? 32 + trailingZeros(xorHi) : trailingZeros(xorLo);
    // XOR_NO_WINDOW is above every `leading`, so the first changed value opens a window.
    if (leading >= this.leading && trailing >= this.trailing) {
      this.#putWindow(xorHi, xorLo, 0b10, 2);
    } else {
      this.leading = leading;
      this.trailing = trailing;
      const significant = 64 - leading - trailing;
      this.#putWindow(xorHi, xorLo, 0x1800 | (leading << 6) | (significant & 63), 13);
    }
  }

  /** A control token and the bits inside the window. */
  #putWindow(xorHi: number, xorLo: number, token: number, tokenBits: number): void {
    const trailing = this.trailing;
    const significant = 64 - this.leading - trailing;
    if (significant <= 32) {
      const value = trailing >= 32 ? xorHi >>> (trailing - 32) : lowPart(xorHi, xorLo, trailing);
      if (tokenBits + significant <= 32) return this.#put((token << significant) | value, tokenBits + significant);
      this.#put(token, tokenBits);
      return this.#put(value, significant);
    }
    // 33-64 significant bits: trailing is below 32, and leading at most 31.
    const high = significant - 32;
    const highValue = xorHi >>> trailing;
    if (tokenBits + high <= 32) this.#put((token << high) | highValue, tokenBits + high);
    else {
      this.#put(token, tokenBits);
      this.#put(highValue, high);
    }
    this.#put(lowPart(xorHi, xorLo, trailing), 32);
  }

  /** Zig-zag, at most ten bytes. */
  #putVarint(value: number): void {
    this.#putUvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #putUvarint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#put((rest % 128) | 0x80, 8);
      rest = Math.floor(rest / 128);
    }
    this.#put(rest, 8);
  }
}

/** The low 32 bits of the 64-bit word shifted right by `shift` (0-31). */
function lowPart(hi: number, lo: number, shift: number): number {
  return shift === 0 ? lo : (lo >>> shift) | (hi << (32 - shift));
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Reads a chunk sample by sample, with all state in view: for merging, checking and resuming; not for queries. */
export class XorCursor {
  view: DataView = EMPTY;
  base = 0;
  /** Samples read. */
  index = 0;
  count = 0;
  bits = 0;
  time = 0;
  delta = 0;
  hi = 0;
  lo = 0;
  leading = XOR_NO_WINDOW;
  trailing = 0;
  #endBits = 0;

  open(view: DataView, base: number, sizeBytes: number): void {
    if (sizeBytes < CHUNK_HEADER_BYTES) throw cutOff(0, 0);
    this.view = view;
    this.base = base;
    this.index = 0;
    this.count = view.getUint16(base);
    this.bits = CHUNK_HEADER_BYTES * 8;
    this.leading = XOR_NO_WINDOW;
    this.trailing = 0;
    this.#endBits = sizeBytes * 8;
  }

  /** False at the end. Throws CorruptionError when the bytes end before the count says. */
  next(): boolean {
    if (this.index === this.count) return false;
    if (this.index === 0) {
      const raw = this.#uvarint();
      this.time = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      this.hi = this.#take(32);
      this.lo = this.#take(32);
      this.delta = 0;
    } else {
      this.delta = this.index === 1 ? this.#uvarint() : this.delta + this.#dod();
      this.time += this.delta;
      this.#value();
    }
    this.index++;
    if (this.bits > this.#endBits) throw cutOff(this.index, this.count);
    return true;
  }

  /** The next `width` (1-32) bits, as a signed word when width is 32. */
  #take(width: number): number {
    const bits = this.bits;
    this.bits = bits + width;
    if (this.bits > this.#endBits) throw cutOff(this.index, this.count);
    let value = 0;
    for (let i = 0; i < width; i += 8) {
      const at = bits + i;
      const wanted = Math.min(8, width - i);
      const byte = this.base + (at >>> 3);
      const pair = (this.view.getUint8(byte) << 8) | ((at & 7) + wanted > 8 ? this.view.getUint8(byte + 1) : 0);
      value = (value << wanted) | ((pair >>> (16 - (at & 7) - wanted)) & ((1 << wanted) - 1));
    }
    return value;
  }

  #uvarint(): number {
    let value = 0;
    for (let scale = 1, i = 0; i < 10; i++, scale *= 128) {
      const byte = this.#take(8);
      value += (byte & 0x7f) * scale;
      if (byte < 128) return value;
    }
    throw new CorruptionError(`sample ${this.index} of an XOR chunk: a varint is longer than 64 bits`);
  }

  #dod(): number {
    if (this.#take(1) === 0) return 0;
    if (this.#take(1) === 0) return signed(this.#take(14), 14);
    if (this.#take(1) === 0) return signed(this.#take(17), 17);
    if (this.#take(1) === 0) return signed(this.#take(20), 20);
    const hi = this.#take(32);
    return hi * TWO_32 + (this.#take(32) >>> 0);
  }

  #value(): void {
    if (this.#take(1) === 0) return;
    if (this.#take(1) === 1) {
      this.leading = this.#take(5);
      const significant = this.#take(6) || 64;
      this.trailing = 64 - this.leading - significant;
    }
    if (this.trailing < 0 || this.leading > 31) {
      throw new CorruptionError(`sample ${this.index} of an XOR chunk: a window of impossible size`);
    }
    const significant = 64 - this.leading - this.trailing;
    const high = significant > 32 ? this.#take(significant - 32) : 0;
    const low = this.#take(Math.min(significant, 32));
    const shift = this.trailing;
    // (high, low) shifted left by `trailing`.
    this.hi ^= shift >= 32 ? low << (shift - 32) : shift === 0 ? high : (high << shift) | (low >>> (32 - shift));
    if (shift < 32) this.lo ^= low << shift;
  }
}

const EMPTY = new DataView(new ArrayBuffer(0));

/** The n-bit fields of a delta of deltas: 2^(n-1) is positive, -2^(n-1) does not occur. */
function signed(value: number, width: number): number {
  return value > 1 << (width - 1) ? value - (1 << width) : value;
}

function cutOff(index: number, count: number): CorruptionError {
  return new CorruptionError(`an XOR chunk ends in sample ${index} of ${count}`);
}

/**
 * Decodes whole chunks into columns. One per reading thread; set `startMs` and `endMs` first: rows outside are left out.
 */
export class XorDecoder {
  startMs = -Infinity;
  endMs = Infinity;
  #columns: Float64Array | undefined;
  #words: Int32Array = new Int32Array(0);

  /**
   * Appends the first `count` samples of the chunk at `base`, as far as they are inside the bounds, to `out`; ends at
   * the first one after `endMs`. The chunk's own count is not read. The chunk ends before `end`; throws
   * CorruptionError when the samples do not. `view` goes on behind it, for XOR_DECODE_SLACK_BYTES if it may be damaged.
   */
  // oxlint-disable-next-line complexity, max-lines-per-function -- the kernel: one loop, all state in locals
  decode(view: DataView, base: number, end: number, count: number, out: SampleColumns): void {
    if (count === 0) return;
    out.reserve(out.count + count);
    const { times, stale } = out;
    const words = this.#wordsOf(out.values);
    const startMs = this.startMs;
    const endMs = this.endMs;
    const endBits = (end - base) * 8;
    let row = out.count;
    let at = base + CHUNK_HEADER_BYTES;

    // First sample: zig-zag varint, 64 bits.
    let raw = 0;
    let scale = 1;
    let byte = 128;
    for (let i = 0; i < 10 && byte >= 128; i++) {
      byte = view.getUint8(at++);
      raw += (byte & 0x7f) * scale;
      scale *= 128;
    }
    let time = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    let hi = view.getInt32(at);
    let lo = view.getInt32(at + 4);
    at += 8;
    if (at > end) throw cutOff(0, count);
    let isStale = hi === STALE_NAN_HI && lo === STALE_NAN_LO ? 1 : 0;
    let staleCount = 0;
    if (time > endMs) return;
    times[row] = time;
    words[row * 2] = lo;
    words[row * 2 + 1] = hi;
    stale[row] = isStale;
    if (time >= startMs) {
      row++;
      staleCount += isStale;
    }

    let delta = 0;
    let leading = 0;
    let trailing = 0;
    let maskHi = 0;
    let maskLo = 0;
    let bits = (at - base) * 8;
    for (let i = 1; i < count; i++) {
      let word = 0;
      if (i === 1) {
        scale = 1;
        byte = 128;
        for (let j = 0; j < 10 && byte >= 128; j++) {
          byte = view.getUint8(at++);
          delta += (byte & 0x7f) * scale;
          scale *= 128;
        }
        bits = (at - base) * 8;
        word = view.getInt32(at);
      } else {
        word = view.getInt32(base + (bits >>> 3)) << (bits & 7);
        if (word >= 0) {
          bits++;
          word <<= 1;
        } else {
          // 25 bits of `word` are valid: enough for the three short forms.
          if (word << 1 >= 0) {
            const field = (word >>> 16) & 0x3fff;
            delta += field > 0x2000 ? field - 0x4000 : field;
            bits += 16;
          } else if (word << 2 >= 0) {
            const field = (word >>> 12) & 0x1ffff;
            delta += field > 0x10000 ? field - 0x20000 : field;
            bits += 20;
          } else if (word << 3 >= 0) {
            const field = (word >>> 8) & 0xfffff;
            delta += field > 0x80000 ? field - 0x100000 : field;
            bits += 24;
          } else {
            const from = base + ((bits + 4) >>> 3);
            const shift = (bits + 4) & 7;
            const dodHi = (view.getInt32(from) << shift) | (view.getUint8(from + 4) >>> (8 - shift));
            const dodLo = (view.getInt32(from + 4) << shift) | (view.getUint8(from + 8) >>> (8 - shift));
            delta += dodHi * TWO_32 + (dodLo >>> 0);
            bits += 68;
          }
          word = view.getInt32(base + (bits >>> 3)) << (bits & 7);
        }
      }
      time += delta;
      // At least 24 bits of `word` are valid here; a new window's token takes 13.
      if (word >= 0) bits++;
      else {
        if (word << 1 >= 0) bits += 2;
        else {
          leading = (word >>> 25) & 31;
          const significant = (word >>> 19) & 63 || 64;
          trailing = 64 - leading - significant;
          if (trailing < 0) throw new CorruptionError(`sample ${i} of an XOR chunk: a window of impossible size`);
          maskHi = -1 >>> leading;
          if (trailing >= 32) {
            maskHi &= -1 << (trailing - 32);
            maskLo = 0;
          } else maskLo = -1 << trailing;
          bits += 13;
        }
        // The 64 bits of the word would begin `leading` bits before: read them there and mask what is not ours.
        const from = bits - leading;
        const byteAt = base + (from >>> 3);
        const shift = from & 7;
        hi ^= ((view.getInt32(byteAt) << shift) | (view.getUint8(byteAt + 4) >>> (8 - shift))) & maskHi;
        if (maskLo !== 0) {
          lo ^= ((view.getInt32(byteAt + 4) << shift) | (view.getUint8(byteAt + 8) >>> (8 - shift))) & maskLo;
        }
        bits += 64 - leading - trailing;
        isStale = hi === STALE_NAN_HI && lo === STALE_NAN_LO ? 1 : 0;
      }
      if (bits > endBits) throw cutOff(i, count);
      if (time > endMs) break;
      times[row] = time;
      words[row * 2] = lo;
      words[row * 2 + 1] = hi;
      stale[row] = isStale;
      if (time >= startMs) {
        row++;
        staleCount += isStale;
      }
    }
    out.count = row;
    out.staleCount += staleCount;
  }

  #wordsOf(values: Float64Array): Int32Array {
    if (this.#columns !== values) {
      this.#columns = values;
      this.#words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    }
    return this.#words;
  }
}
