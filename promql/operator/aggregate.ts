// hot path: folds the rows of its input into groups as they come.
import type { Accumulator, AccumulatorFactory } from './accumulators.ts';
import type { Evaluation } from './evaluation.ts';
import { groupSeries, type Grouping, type Groups } from './group-keys.ts';
import { PENDING, READY, createBatch, type Batch, type Operator, type SeriesList } from './operator.ts';

export interface AggregateOptions {
  readonly source: Operator;
  readonly grouping: Grouping;
  readonly accumulator: AccumulatorFactory;
  readonly stepCount: number;
}

/** sum, avg, min, max, count, group, stddev and stdvar: memory is groups x steps, however many series come. */
export class AggregateOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: AggregateOptions;
  readonly #input: Batch;
  #groups: Groups | undefined;
  #accumulator: Accumulator | undefined;
  #isFolded = false;
  #nextGroup = 0;

  constructor(evaluation: Evaluation, options: AggregateOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#input = createBatch(options.stepCount);
  }

  open(): number {
    return this.#options.source.open() === PENDING ? PENDING : READY;
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
    for (let r = 0; r < rows; r++) {
      accumulator.finish(batch, r * stepCount, (this.#nextGroup + r) * stepCount);
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
    this.#groups ??= groupSeries(this.#options.source.series(), this.#options.grouping);
    return this.#groups;
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
      for (let r = 0; r < rows; r++) {
        accumulator.fold(input, r * stepCount, groupOf[input.first + r]! * stepCount);
      }
      if (this.#evaluation.spend(rows * stepCount)) return PENDING;
    }
  }
}
