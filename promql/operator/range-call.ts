// hot path: a kernel over the windows of each series.
import type { RangeKernel, RangeFunction } from '../functions/range-function.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, countPresent, type Batch, type Operator, type SeriesList } from './operator.ts';
import type { RangeSource } from './range-source.ts';
import type { SampleCount } from './sample-count.ts';
import { withoutNames } from './series-list.ts';
import type { ScalarReaders } from './table.ts';
import { slideWindows, type Windows } from './windows.ts';

export interface RangeCallOptions {
  readonly fn: RangeFunction;
  readonly source: RangeSource;
  readonly windows: Windows;
  readonly params: ScalarReaders;
  /** Called once with the values of the parameters, when there are series. */
  readonly onParams: ((columns: readonly Float64Array[]) => void) | undefined;
  /** Called for a series that has a result. */
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
    if (this.#rowsInBatch === 0 && this.#step < 0) batch.first = this.#row;
    while (this.#row < count && this.#rowsInBatch < capacity) {
      if (this.#step < 0) {
        const columns = this.#source.next();
        if (columns === undefined) return PENDING;
        const total = slideWindows(windows, columns);
        evaluation.totalSamples += total * this.#count.weight;
        evaluation.spend(columns.count + stepCount + 20);
        this.#step = 0;
      }
      const base = this.#rowsInBatch * stepCount;
      if (!this.#runKernel(batch, base)) return PENDING;
      const samples = countPresent(present, base, base + stepCount);
      this.#count.noteWindow(windows.hi[stepCount - 1]! - windows.lo[stepCount - 1]!, samples + this.#samplesInBatch);
      this.#samplesInBatch += samples;
      if (samples > 0) this.#options.onResult?.(this.#source.series(), this.#row);
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
      this.#kernel(this.#windows, batch, base, from, to);
      this.#step = to;
      if (this.#evaluation.spend(work) && to < stepCount) return false;
    }
    return true;
  }

  close(): void {
    this.#source.close();
    this.#options.params.close();
  }
}

/** Least work of one kernel call, so that a spent quantum does not make steps one by one. */
const MIN_WORK = 20_000;
