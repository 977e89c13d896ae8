import type { FloatHistogram } from '../../model/float-histogram.ts';
import { SampleColumns } from '../../model/sample.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import { slideWindows, type Windows } from './windows.ts';

/** One window of a series that has histograms, at one step: what a function needs to say what it makes of them. */
export interface HistogramWindow {
  /** Samples [floatLo, floatHi) of these are the floats of the window. */
  readonly floatTimes: Float64Array;
  readonly floatValues: Float64Array;
  readonly floatLo: number;
  readonly floatHi: number;
  /** Samples [lo, hi) of these are the histograms of the window; there is at least one. */
  readonly times: Float64Array;
  readonly histograms: readonly FloatHistogram[];
  readonly lo: number;
  readonly hi: number;
  /** The range without a widening: (endMs - rangeMs, endMs]. */
  readonly endMs: number;
  readonly rangeMs: number;
  /** What the function makes of the floats alone. */
  readonly floatResult: number | undefined;
  readonly metricName: string;
  readonly notes: HistogramNotes;
}

/** The samples of a series in which there are histograms, floats and histograms apart, with the windows over each. */
export class MixedWindows {
  readonly #notes: HistogramNotes;
  readonly #floats = new SampleColumns(64);
  readonly #histogramColumns = new SampleColumns(64);
  readonly #lo: Int32Array;
  readonly #hi: Int32Array;
  #histograms: FloatHistogram[] = [];
  /** Sum of the weights of the histograms before each. */
  #weights: number[] = [];
  #metricName = '';

  constructor(stepCount: number, notes: HistogramNotes) {
    this.#lo = new Int32Array(stepCount);
    this.#hi = new Int32Array(stepCount);
    this.#notes = notes;
  }

  /** Takes the samples of a series; `windows` then has those that are floats. Returns the sum of the windows' sizes. */
  slide(windows: Windows, columns: SampleColumns, metricName: string): number {
    this.#metricName = metricName;
    this.#split(columns);
    slideWindows(windows, this.#histogramColumns);
    this.#lo.set(windows.lo);
    this.#hi.set(windows.hi);
    let total = slideWindows(windows, this.#floats);
    for (let i = 0; i < this.#lo.length; i++) total += this.weightAt(i);
    return total;
  }

  #split({ times, values, histograms, count }: SampleColumns): void {
    const floats = this.#floats;
    const others = this.#histogramColumns;
    floats.clear();
    floats.reserve(count);
    others.clear();
    others.reserve(count);
    this.#histograms = [];
    this.#weights = [0];
    let weight = 0;
    for (let i = 0; i < count; i++) {
      const histogram = histograms[i];
      const target = histogram ? others : floats;
      target.times[target.count] = times[i]!;
      target.values[target.count++] = values[i]!;
      if (!histogram) continue;
      this.#histograms.push(histogram);
      weight += histogram.sampleWeight;
      this.#weights.push(weight);
    }
  }

  countAt(step: number): number {
    return this.#hi[step]! - this.#lo[step]!;
  }

  /** Sum of the histograms in the windows of the steps [from, to). */
  countBetween(from: number, to: number): number {
    let count = 0;
    for (let i = from; i < to; i++) count += this.countAt(i);
    return count;
  }

  /** As how many samples the histograms of a window count. */
  weightAt(step: number): number {
    return this.#weights[this.#hi[step]!]! - this.#weights[this.#lo[step]!]!;
  }

  /** The window at a step; undefined when there is no histogram in it. */
  at(step: number, windows: Windows, floatResult: number | undefined): HistogramWindow | undefined {
    if (this.countAt(step) === 0) return undefined;
    return {
      floatTimes: windows.times,
      floatValues: windows.values,
      floatLo: windows.lo[step]!,
      floatHi: windows.hi[step]!,
      times: this.#histogramColumns.times,
      histograms: this.#histograms,
      lo: this.#lo[step]!,
      hi: this.#hi[step]!,
      endMs: windows.ends[step]!,
      rangeMs: windows.rangeMs,
      floatResult,
      metricName: this.#metricName,
      notes: this.#notes,
    };
  }
}
