import { assert } from '../util/assert.ts';
import type { FloatHistogram } from './float-histogram.ts';
import { NORMAL_NAN_HI, NORMAL_NAN_LO, STALE_NAN_HI, STALE_NAN_LO } from '../util/float-bits.ts';

/** Dense identifier of a series in the head, 1-based; 0 is no series. Valid until the head says it is not (epochs). */
export type SeriesRef = number;

/**
 * Float samples on their way into storage, as columns: refs, timestamps (ms) and value words [hi, lo] per row. Values
 * travel as words because a number may lose the staleness marker's bits (util/float-bits.ts). One batch is committed as
 * a whole: readers see all of it or nothing. Reused by its owner: `clear()` keeps the capacity.
 */
export class SampleBatch {
  refs: Uint32Array;
  times: Float64Array;
  /** hi of row i at 2i, lo at 2i + 1. */
  words: Int32Array;
  count = 0;
  #numbers: DataView;

  constructor(capacity = 256) {
    assert(capacity > 0, 'batch capacity');
    this.refs = new Uint32Array(capacity);
    this.times = new Float64Array(capacity);
    this.words = new Int32Array(capacity * 2);
    this.#numbers = new DataView(new ArrayBuffer(8));
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds a row; NaN is stored as Prometheus' normal NaN. */
  append(ref: SeriesRef, timeMs: number, value: number): void {
    if (value !== value) return this.appendWords(ref, timeMs, NORMAL_NAN_HI, NORMAL_NAN_LO);
    this.#numbers.setFloat64(0, value);
    this.appendWords(ref, timeMs, this.#numbers.getInt32(0), this.#numbers.getInt32(4));
  }

  appendStale(ref: SeriesRef, timeMs: number): void {
    this.appendWords(ref, timeMs, STALE_NAN_HI, STALE_NAN_LO);
  }

  appendWords(ref: SeriesRef, timeMs: number, hi: number, lo: number): void {
    const row = this.count;
    if (row === this.refs.length) this.reserve(row + 1);
    this.refs[row] = ref;
    this.times[row] = timeMs;
    this.words[row * 2] = hi;
    this.words[row * 2 + 1] = lo;
    this.count = row + 1;
  }

  /** Makes room for `rows` rows in all, keeping those there are. Arrays are replaced: re-read the fields. */
  reserve(rows: number): void {
    if (rows <= this.refs.length) return;
    const capacity = Math.max(rows, this.refs.length * 2);
    const { refs, times, words } = this;
    this.refs = new Uint32Array(capacity);
    this.refs.set(refs);
    this.times = new Float64Array(capacity);
    this.times.set(times);
    this.words = new Int32Array(capacity * 2);
    this.words.set(words);
  }
}

/**
 * Samples of one series as a reader sees them, in columns that grow and are reused. `stale[i]` is 1 where row i is a
 * staleness marker (its value is then NaN and means nothing); `staleCount` lets the common case skip the look. Likewise
 * `histograms[i]` is the histogram of row i or undefined where the row is a float, and all of it means nothing while
 * `histogramCount` is 0: who writes floats only need not touch it after `clear()`.
 */
export class SampleColumns {
  times: Float64Array;
  values: Float64Array;
  stale: Uint8Array;
  readonly histograms: (FloatHistogram | undefined)[] = [];
  count = 0;
  staleCount = 0;
  histogramCount = 0;

  constructor(capacity = 1024) {
    this.times = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.stale = new Uint8Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.staleCount = 0;
    this.histogramCount = 0;
  }

  /** Makes room for `capacity` rows in all, keeping those there are. Arrays are replaced: re-read the fields. */
  reserve(capacity: number): void {
    if (capacity <= this.times.length) return;
    const size = Math.max(capacity, this.times.length * 2);
    const { times, values, stale } = this;
    this.times = new Float64Array(size);
    this.times.set(times);
    this.values = new Float64Array(size);
    this.values.set(values);
    this.stale = new Uint8Array(size);
    this.stale.set(stale);
  }
}
