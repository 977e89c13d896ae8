// hot path: one call per scraped sample. Benchmark: bench/parse.bench.ts.
import { NORMAL_NAN_HI, NORMAL_NAN_LO } from './float-bits.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;

/** Powers of ten that are exact doubles: with an exact mantissa, one multiplication or division rounds correctly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const EXPONENT_EXACT_MAX = 22;
const MANTISSA_EXACT_MAX = 2 ** 53;
const HIGH_INDEX = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** Parses decimal numbers out of bytes into value words; reused, so that nothing is allocated per number. */
export class FloatParser {
  /** High and low 32 bits (signed) of the last number parsed. */
  hi = 0;
  lo = 0;
  /** Offset of the byte after the last number parsed. */
  end = 0;
  readonly #double = new Float64Array(1);
  readonly #words = new Int32Array(this.#double.buffer);

  /**
   * The fast, exact path: a decimal number at `start` that ends at a space, tab or newline, has a mantissa below 2^53
   * and a decimal exponent within 22. Returns false, with nothing parsed, for anything else, good or bad: take
   * `parseToken` then. `bytes` must hold a newline at or after `start`.
   */
  // oxlint-disable-next-line complexity -- one pass over the digits without calls: the kernel of every scrape
  parse(bytes: Uint8Array, start: number): boolean {
    let i = start;
    let c = bytes[i]!;
    const negative = c === MINUS;
    if (negative || c === PLUS) c = bytes[++i]!;
    // Nine digits at a time in an int32: an integer multiply-add is half the latency of a double's.
    let mantissa = 0;
    let chunk = 0;
    let chunkDigits = 0;
    let digits = 0;
    let point = -1;
    for (;;) {
      const digit = c - DIGIT_0;
      if (digit >= 0 && digit <= 9) {
        chunk = (chunk * 10 + digit) | 0;
        if (++chunkDigits === 9) {
          mantissa = mantissa * 1e9 + chunk;
          chunk = 0;
          chunkDigits = 0;
          digits += 9;
        }
      } else if (c === POINT && point < 0) point = digits + chunkDigits;
      else break;
      c = bytes[++i]!;
    }
    digits += chunkDigits;
    if (digits === 0) return false;
    mantissa = mantissa * POWERS_OF_TEN[chunkDigits]! + chunk;
    let exponent = point < 0 ? 0 : point - digits;
    if ((c | 0x20) === 0x65) {
      const exponentNegative = bytes[i + 1] === MINUS;
      if (exponentNegative || bytes[i + 1] === PLUS) i++;
      const first = i + 1;
      let e = 0;
      for (c = bytes[++i]!; c >= DIGIT_0 && c <= DIGIT_0 + 9; c = bytes[++i]!) e = e * 10 + c - DIGIT_0;
      if (i === first) return false;
      exponent += exponentNegative ? -e : e;
    }
    if (c !== NEWLINE && c !== SPACE && c !== TAB) return false;
    if (mantissa >= MANTISSA_EXACT_MAX) return false;
    if (exponent < 0) {
      if (exponent < -EXPONENT_EXACT_MAX) return false;
      mantissa /= POWERS_OF_TEN[-exponent]!;
    } else if (exponent > 0) {
      if (exponent > EXPONENT_EXACT_MAX) return false;
      mantissa *= POWERS_OF_TEN[exponent]!;
    }
    this.#set(negative ? -mantissa : mantissa);
    this.end = i;
    return true;
  }

  /**
   * Any number in Go's ParseFloat syntax without hexadecimals and underscores. Sets `hi` and `lo` (NaN as Prometheus'
   * normal NaN) and returns undefined; or returns the error text Prometheus gives.
   */
  parseToken(text: string): string | undefined {
    if (/[pP_]/.test(text)) return 'unsupported character in float';
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
      const value = Number(text);
      if (!Number.isFinite(value)) return `strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`;
      this.#set(value);
      return undefined;
    }
    const word = text.toLowerCase();
    if (word === 'nan') {
      this.hi = NORMAL_NAN_HI;
      this.lo = NORMAL_NAN_LO;
      return undefined;
    }
    const infinity = /^([+-]?)inf(?:inity)?$/.exec(word);
    if (!infinity) return `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`;
    this.#set(infinity[1] === '-' ? -Infinity : Infinity);
    return undefined;
  }

  /** The last number parsed. */
  get value(): number {
    this.#words[HIGH_INDEX] = this.hi;
    this.#words[1 - HIGH_INDEX] = this.lo;
    return this.#double[0]!;
  }

  #set(value: number): void {
    this.#double[0] = value;
    this.hi = this.#words[HIGH_INDEX]!;
    this.lo = this.#words[1 - HIGH_INDEX]!;
  }
}
