// hot path: runs per series and per sample of a remote-write request. Benchmark: bench/remote-write.bench.ts.
import protobuf from 'protobufjs/minimal.js';
import { CodedError, errorText } from '../../util/errors.ts';

const { Reader } = protobuf;
type Reader = protobuf.Reader;

/** Fields and wire types: tag = field << 3 | wire type. */
const TAG = {
  timeseries: (1 << 3) | 2,
  labels: (1 << 3) | 2,
  samples: (2 << 3) | 2,
  name: (1 << 3) | 2,
  value: (2 << 3) | 2,
  sampleValue: (1 << 3) | 1,
  sampleTime: (2 << 3) | 0,
} as const;

const TWO_32 = 2 ** 32;
const SAFE_HI_MAX = 2 ** 21;

/** Samples of one series as they stand in a request; reused from series to series. */
class WireSamples {
  times = new Float64Array(16);
  /** [hi, lo] of each value. */
  words = new Int32Array(32);
  count = 0;

  append(timeMs: number, hi: number, lo: number): void {
    const row = this.count;
    if (row === this.times.length) this.#grow();
    this.times[row] = timeMs;
    this.words[row * 2] = hi;
    this.words[row * 2 + 1] = lo;
    this.count = row + 1;
  }

  #grow(): void {
    const { times, words } = this;
    this.times = new Float64Array(times.length * 2);
    this.times.set(times);
    this.words = new Int32Array(words.length * 2);
    this.words.set(words);
  }
}

/**
 * Reads a prometheus.WriteRequest (remote write 1.0) series by series, without making strings: labels stay a span of
 * bytes until somebody asks for them. Throws bad_data for what is not such a message.
 */
export class WriteRequestReader {
  readonly samples = new WireSamples();
  /** Of the series at hand: where its label fields stand, tags included, one after the other. */
  labelsStart = 0;
  labelsEnd = 0;
  /** The label fields do not stand side by side: `labelsStart` to `labelsEnd` holds other fields, too. */
  labelsScattered = false;
  /** Histograms of the series at hand, which are not stored. */
  histogramCount = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reader: Reader;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reader = Reader.create(bytes);
  }

  /** Goes to the next series; false at the end. */
  next(): boolean {
    const reader = this.#reader;
    try {
      while (reader.pos < reader.len) {
        const tag = reader.uint32();
        if (tag === TAG.timeseries) {
          this.#readSeries(this.#endOf());
          return true;
        }
        reader.skipType(tag & 7);
      }
      return false;
    } catch (error) {
      throw new CodedError('bad_data', `not a write request: ${errorText(error)}`, { cause: error });
    }
  }

  /**
   * The labels of the series at hand as [name, value, ...], in the order of the request. Throws bad_data when they are
   * not UTF-8.
   */
  labelPairs(): string[] {
    const reader = Reader.create(this.#bytes);
    reader.pos = this.labelsStart;
    const pairs: string[] = [];
    try {
      while (reader.pos < this.labelsEnd) {
        const tag = reader.uint32();
        if (tag === TAG.labels) readLabel(reader, pairs);
        else reader.skipType(tag & 7);
      }
    } catch (error) {
      throw new CodedError('bad_data', `labels that cannot be read: ${errorText(error)}`, { cause: error });
    }
    return pairs;
  }

  #endOf(): number {
    const reader = this.#reader;
    const length = reader.uint32();
    const end = reader.pos + length;
    if (end > reader.len) throw new RangeError(`a field at ${reader.pos} is longer than the message`);
    return end;
  }

  #readSeries(end: number): void {
    const reader = this.#reader;
    this.samples.count = 0;
    this.histogramCount = 0;
    this.labelsStart = reader.pos;
    this.labelsEnd = reader.pos;
    this.labelsScattered = false;
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.uint32();
      if (tag === TAG.labels) {
        if (this.labelsEnd === this.labelsStart) this.labelsStart = start;
        else if (this.labelsEnd !== start) this.labelsScattered = true;
        reader.skipType(2);
        this.labelsEnd = reader.pos;
      } else if (tag === TAG.samples) {
        this.#readSample(this.#endOf());
      } else {
        if (tag >>> 3 === 4) this.histogramCount++;
        reader.skipType(tag & 7);
      }
    }
    if (reader.pos !== end) throw new RangeError(`a series ends at ${reader.pos} instead of ${end}`);
  }

  #readSample(end: number): void {
    const reader = this.#reader;
    let hi = 0;
    let lo = 0;
    let timeMs = 0;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === TAG.sampleValue) {
        if (reader.pos + 8 > end) throw new RangeError(`a value at ${reader.pos} is cut off`);
        lo = this.#view.getInt32(reader.pos, true);
        hi = this.#view.getInt32(reader.pos + 4, true);
        reader.pos += 8;
      } else if (tag === TAG.sampleTime) {
        timeMs = this.#readInt64();
      } else {
        reader.skipType(tag & 7);
      }
    }
    if (reader.pos !== end) throw new RangeError(`a sample ends at ${reader.pos} instead of ${end}`);
    this.samples.append(timeMs, hi, lo);
  }

  /** A varint of up to 64 bits; what is beyond 2^53 becomes an infinity, which no bound accepts. */
  #readInt64(): number {
    const bytes = this.#bytes;
    const reader = this.#reader;
    let lo = 0;
    let hi = 0;
    for (let i = 0; i < 10; i++) {
      if (reader.pos >= reader.len) throw new RangeError('the message ends inside a number');
      const byte = bytes[reader.pos++]!;
      const bits = byte & 0x7f;
      if (i < 4) lo += bits * 2 ** (7 * i);
      else if (i === 4) {
        lo += (bits & 0x0f) * 2 ** 28;
        hi += bits >>> 4;
      } else if (i < 9) hi += bits * 2 ** (7 * i - 32);
      else hi += (bits & 1) * 2 ** 31;
      if (byte < 0x80) return toSafeNumber(hi, lo);
    }
    throw new RangeError(`a number at ${reader.pos} is too long`);
  }
}

function toSafeNumber(hi: number, lo: number): number {
  const signedHi = hi >= 2 ** 31 ? hi - TWO_32 : hi;
  if (signedHi >= SAFE_HI_MAX) return Infinity;
  return signedHi < -SAFE_HI_MAX ? -Infinity : signedHi * TWO_32 + lo;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readLabel(reader: Reader, pairs: string[]): void {
  const end = reader.uint32() + reader.pos;
  let name = '';
  let value = '';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === TAG.name) name = decoder.decode(reader.bytes());
    else if (tag === TAG.value) value = decoder.decode(reader.bytes());
    else reader.skipType(tag & 7);
  }
  pairs.push(name, value);
}
