// hot path: a kernel over the windows of each series.
import type { SampleColumns } from '../../model/sample.ts';
import type { HistogramWindowFunction } from '../functions/histogram-windows.ts';
import type { RangeKernel, RangeFunction } from '../functions/range-function.ts';
import type { Evaluation } from './evaluation.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import { MixedWindows } from './mixed-windows.ts';
import { PENDING, READY, countPresent, histogramsOf, type Batch, type Operator, type SeriesList } from './operator.ts';
import type { RangeSource } from './range-source.ts';
import type { SampleCount } from './sample-count.ts';
import { withoutNames } from './series-list.ts';
import type { ScalarReaders } from './table.ts';
import { slideWindows, type Windows } from './windows.ts';

export interface RangeCallOptions {
  readonly fn: RangeFunction;
  /** Called for the windows in which there are histograms. */
  readonly histogramFn: HistogramWindowFunction;
  readonly notes: HistogramNotes;
  readonly source: RangeSource;
  readonly windows: Windows;
  readonly params: ScalarReaders;
  /** Called once with the values of the parameters, when there are series. */
  readonly onParams: ((columns: readonly Float64Array[]) => void) | undefined;
  /** Called for a series that has a result that is a float. */
  readonly onResult: ((series: SeriesList, index: number) => void) | undefined;
}

/** A function of a range vector: reads each series once and slides its windows over all steps. */
export class RangeCallOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: RangeCallOptions;
  readonly #source: RangeSource;
  readonly #windows: Windows;
  readonly #kernel: RangeKernel;
  readonly #count: SampleCount;
  #isSourceOpen = false;
  #list: SeriesList | undefined;
  #row = 0;
  #rowsInBatch = 0;
  /** Samples of the rows that have not gone out yet. */
  #samplesInBatch = 0;
  #mixed: MixedWindows | undefined;
  /** The series in progress has histograms. */
  #isMixed = false;
  /** Next step of the series in progress; -1 between series. */
  #step = -1;

  constructor(evaluation: Evaluation, options: RangeCallOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#count = evaluation.count;
    this.#source = options.source;
    this.#windows = options.windows;
    this.#kernel = options.fn.kernel;
  }

  open(): number {
    if (!this.#isSourceOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isSourceOpen = true;
    }
    if (this.#options.params.read() === PENDING) return PENDING;
    this.#windows.params = this.#options.params.columns;
    if (this.#source.series().count > 0) this.#options.onParams?.(this.#windows.params);
    return READY;
  }

  series(): SeriesList {
    const source = this.#source.series();
    this.#list ??= this.#options.fn.keepsName ? source : withoutNames(source, this.#evaluation.delayedNameRemoval);
    return this.#list;
  }

  next(batch: Batch): number {
    const count = this.#source.series().count;
    const { stepCount, capacity, present } = batch;
    const evaluation = this.#evaluation;
    const windows = this.#windows;
    if (this.#rowsInBatch === 0 && this.#step < 0) {
      batch.first = this.#row;
      batch.histograms = undefined;
    }
    while (this.#row < count && this.#rowsInBatch < capacity) {
      if (this.#step < 0) {
        const columns = this.#source.next();
        if (columns === undefined) return PENDING;
        this.#isMixed = columns.histogramCount > 0;
        const total = this.#isMixed ? this.#slideMixed(columns) : slideWindows(windows, columns);
        evaluation.totalSamples += total * this.#count.weight;
        evaluation.spend(columns.count + stepCount + 20);
        this.#step = 0;
      }
      const base = this.#rowsInBatch * stepCount;
      if (!this.#runKernel(batch, base)) return PENDING;
      const samples = countPresent(present, base, base + stepCount);
      let windowSamples = windows.hi[stepCount - 1]! - windows.lo[stepCount - 1]!;
      if (this.#isMixed) windowSamples += this.#mixed!.weightAt(stepCount - 1);
      this.#count.noteWindow(windowSamples, samples + this.#samplesInBatch);
      this.#samplesInBatch += samples;
      if (samples > 0 && (!this.#isMixed || hasFloats(batch, base)))
        this.#options.onResult?.(this.#source.series(), this.#row);
      this.#step = -1;
      this.#row++;
      this.#rowsInBatch++;
      if (evaluation.isSpent) break;
    }
    const rows = this.#rowsInBatch;
    if (rows === 0) {
      if (this.#source.finish() === PENDING) return PENDING;
      this.#source.close();
    }
    this.#rowsInBatch = 0;
    this.#samplesInBatch = 0;
    return rows;
  }

  /** Runs the kernel over the steps that are left, as far as the quantum goes; true when the row is complete. */
  #runKernel(batch: Batch, base: number): boolean {
    const { lo, hi } = this.#windows;
    const { stepCount } = batch;
    while (this.#step < stepCount) {
      const from = this.#step;
      const workMax = Math.max(this.#evaluation.workLeft, MIN_WORK);
      let to = from;
      let work = 0;
      while (to < stepCount && work < workMax) {
        work += hi[to]! - lo[to]! + 1;
        to++;
      }
      if (this.#isMixed) {
        to = Math.min(to, from + MIXED_STEPS_MAX);
        work += this.#mixed!.countBetween(from, to) * HISTOGRAM_WORK;
      }
      this.#kernel(this.#windows, batch, base, from, to);
      if (this.#isMixed) this.#runOnHistograms(batch, base, from, to);
      this.#step = to;
      if (this.#evaluation.spend(work) && to < stepCount) return false;
    }
    return true;
  }

  #slideMixed(columns: SampleColumns): number {
    this.#mixed ??= new MixedWindows(this.#windows.ends.length, this.#options.notes);
    return this.#mixed.slide(this.#windows, columns, this.#source.series().labels(this.#row).metricName);
  }

  /** After the kernel, which has seen the floats only. */
  #runOnHistograms(batch: Batch, base: number, from: number, to: number): void {
    const { values, present } = batch;
    const histograms = histogramsOf(batch);
    for (let i = from; i < to; i++) {
      const cell = base + i;
      histograms[cell] = undefined;
      const window = this.#mixed!.at(i, this.#windows, present[cell] === 1 ? values[cell] : undefined);
      if (window === undefined) continue;
      const result = this.#options.histogramFn(window);
      present[cell] = result === undefined ? 0 : 1;
      if (typeof result === 'number') values[cell] = result;
      else histograms[cell] = result;
    }
  }

  close(): void {
    this.#source.close();
    this.#options.params.close();
  }
}

/** Steps of a series with histograms that are done at a time. */
const MIXED_STEPS_MAX = 100;

/** Work on a histogram, in samples. */
const HISTOGRAM_WORK = 10;

function hasFloats({ present, histograms, stepCount }: Batch, base: number): boolean {
  for (let i = base; i < base + stepCount; i++) if (present[i] === 1 && histograms?.[i] === undefined) return true;
  return false;
}

/** Least work of one kernel call, so that a spent quantum does not make steps one by one. */
const MIN_WORK = 20_000;
