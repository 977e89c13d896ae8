// hot path: folds the rows of its input into groups as they come.
import { must } from '../../util/assert.ts';
import type { Accumulator, AccumulatorFactory } from './accumulators.ts';
import type { Evaluation } from './evaluation.ts';
import { HistogramCells, type HistogramCellsOptions } from './histogram-cells.ts';
import { SeriesGrouper, type Grouping, type Groups } from './group-keys.ts';
import { PENDING, READY, createBatch, type Batch, type Operator, type SeriesList } from './operator.ts';

export interface AggregateOptions {
  readonly source: Operator;
  readonly grouping: Grouping;
  readonly accumulator: AccumulatorFactory;
  readonly histograms: HistogramCellsOptions;
  readonly stepCount: number;
}

/** sum, avg, min, max, count, group, stddev and stdvar: memory is groups x steps, however many series come. */
export class AggregateOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: AggregateOptions;
  readonly #input: Batch;
  #grouper: SeriesGrouper | undefined;
  #accumulator: Accumulator | undefined;
  readonly #histograms: HistogramCells;
  #isFolded = false;
  #nextGroup = 0;

  constructor(evaluation: Evaluation, options: AggregateOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#input = createBatch(options.stepCount);
    this.#histograms = new HistogramCells(evaluation, options.histograms);
  }

  open(): number {
    const { source, grouping } = this.#options;
    if (this.#grouper === undefined) {
      if (source.open() === PENDING) return PENDING;
      this.#grouper = new SeriesGrouper(this.#evaluation, source.series(), grouping);
    }
    return this.#grouper.run();
  }

  series(): SeriesList {
    return this.#grouped().list;
  }

  next(batch: Batch): number {
    const accumulator = this.#accumulated();
    if (!this.#isFolded) {
      if (this.#fold(accumulator) === PENDING) return PENDING;
      this.#isFolded = true;
    }
    const { stepCount } = batch;
    const rows = Math.min(batch.capacity, this.#grouped().count - this.#nextGroup);
    batch.first = this.#nextGroup;
    batch.histograms = undefined;
    for (let r = 0; r < rows; r++) {
      accumulator.finish(batch, r * stepCount, (this.#nextGroup + r) * stepCount);
      this.#histograms.finish(batch, r * stepCount, (this.#nextGroup + r) * stepCount);
    }
    this.#nextGroup += rows;
    this.#evaluation.spend(rows * stepCount);
    if (rows === 0) this.#options.source.close();
    return rows;
  }

  close(): void {
    this.#options.source.close();
  }

  #grouped(): Groups {
    return must(this.#grouper, 'open()').groups;
  }

  #accumulated(): Accumulator {
    const { accumulator, stepCount } = this.#options;
    this.#accumulator ??= accumulator(this.#evaluation, this.#grouped().count * stepCount);
    return this.#accumulator;
  }

  #fold(accumulator: Accumulator): number {
    const { groupOf } = this.#grouped();
    const input = this.#input;
    const { stepCount } = input;
    for (;;) {
      const rows = this.#options.source.next(input);
      if (rows === PENDING) return PENDING;
      if (rows === 0) return READY;
      if (input.histograms !== undefined) this.#takeHistograms(input, rows);
      for (let r = 0; r < rows; r++) {
        accumulator.fold(input, r * stepCount, groupOf[input.first + r]! * stepCount);
      }
      if (this.#evaluation.spend(rows * stepCount)) return PENDING;
    }
  }

  #takeHistograms(input: Batch, rows: number): void {
    const { groupOf } = this.#grouped();
    const { first, stepCount } = input;
    const series = this.#options.source.series();
    this.#histograms.take(
      input,
      rows,
      (row) => groupOf[first + row]! * stepCount,
      (row) => series.labels(first + row).metricName,
    );
    this.#evaluation.spend(rows * stepCount * 10);
  }
}
