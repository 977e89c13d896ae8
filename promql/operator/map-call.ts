// hot path: a function of each sample, in the parent's own batch.
import type { HistogramMap, MapKernel, MapRow } from '../functions/map-function.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, type Batch, type HistogramColumn, type Operator, type SeriesList } from './operator.ts';
import { withoutNames } from './series-list.ts';
import type { ScalarReaders } from './table.ts';

export interface MapCallOptions {
  readonly kernel: MapKernel;
  /** undefined: histograms are dropped. */
  readonly histogramMap?: HistogramMap | undefined;
  readonly source: Operator;
  readonly params: ScalarReaders;
  readonly stepTimes: Float64Array;
  readonly keepsName: boolean;
}

/** Functions from sample to sample, operators between a vector and a scalar, and unary minus. */
export class MapCallOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: MapCallOptions;
  readonly #source: Operator;
  #isSourceOpen = false;
  #list: SeriesList | undefined;
  #row: MapRow | undefined;

  constructor(evaluation: Evaluation, options: MapCallOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#source = options.source;
  }

  open(): number {
    if (!this.#isSourceOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isSourceOpen = true;
    }
    return this.#options.params.read() === PENDING ? PENDING : READY;
  }

  series(): SeriesList {
    const { keepsName, source } = this.#options;
    this.#list ??= keepsName ? source.series() : withoutNames(source.series(), this.#evaluation.delayedNameRemoval);
    return this.#list;
  }

  next(batch: Batch): number {
    const rows = this.#source.next(batch);
    if (rows === PENDING) return PENDING;
    if (rows === 0) {
      this.#source.close();
      return 0;
    }
    const { stepCount } = batch;
    const { kernel, params, stepTimes } = this.#options;
    const { values, present } = batch;
    this.#row ??= { values, present, base: 0, params: params.columns, stepTimes };
    const row = this.#row;
    if (batch.histograms !== undefined) return this.#nextMixed(batch, rows, row, batch.histograms);
    for (let r = 0; r < rows; r++) {
      row.base = r * stepCount;
      kernel(row);
    }
    this.#evaluation.spend(rows * stepCount);
    return rows;
  }

  /** The kernel sees the floats, and garbage in between that is overwritten. */
  #nextMixed(batch: Batch, rows: number, row: MapRow, histograms: HistogramColumn): number {
    const { stepCount, values, present } = batch;
    const { kernel, histogramMap } = this.#options;
    for (let r = 0; r < rows; r++) {
      row.base = r * stepCount;
      const wasPresent = present.slice(row.base, row.base + stepCount);
      kernel(row);
      for (let i = 0; i < stepCount; i++) {
        const cell = row.base + i;
        const histogram = wasPresent[i] === 1 ? histograms[cell] : undefined;
        histograms[cell] = undefined;
        if (histogram === undefined) continue;
        const result = histogramMap?.(histogram, i, row.params);
        present[cell] = result === undefined ? 0 : 1;
        if (typeof result === 'number') values[cell] = result;
        else histograms[cell] = result;
      }
    }
    this.#evaluation.spend(rows * stepCount * 10);
    return rows;
  }

  close(): void {
    this.#source.close();
    this.#options.params.close();
  }
}
