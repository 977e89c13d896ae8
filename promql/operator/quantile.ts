import { quantileOf } from '../functions/quantile.ts';
import type { Evaluation } from './evaluation.ts';
import { SeriesGrouper, type Grouping, type Groups } from './group-keys.ts';
import { PENDING, READY, type Batch, type Operator, type SeriesList } from './operator.ts';
import { ScalarReader, TableReader } from './table.ts';

export interface QuantileOptions {
  readonly source: Operator;
  readonly param: Operator;
  readonly grouping: Grouping;
  readonly stepCount: number;
  /** Called with the quantiles of all steps, when there are series. */
  readonly onParam: (quantiles: Float64Array) => void;
  /** Called where a histogram is ignored. */
  readonly onHistogram: () => void;
}

/** quantile: needs all values of a group at a step at once, so its input is kept. */
export class QuantileOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: QuantileOptions;
  readonly #param: ScalarReader;
  #opened = 0;
  #grouper: SeriesGrouper | undefined;
  #groups: Groups | undefined;
  #members: number[][] = [];
  #reader: TableReader | undefined;
  #isRead = false;
  #nextGroup = 0;
  #nextStep = 0;

  constructor(evaluation: Evaluation, options: QuantileOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#param = new ScalarReader(options.param, options.stepCount);
  }

  open(): number {
    const { source, grouping, stepCount, onParam } = this.#options;
    if (this.#opened === 0) {
      if (source.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (this.#param.read() === PENDING) return PENDING;
      this.#opened = 2;
    }
    if (this.#opened === 2) {
      this.#grouper ??= new SeriesGrouper(this.#evaluation, source.series(), grouping);
      if (this.#grouper.run() === PENDING) return PENDING;
      this.#opened = 3;
      const { groups } = this.#grouper;
      this.#members = Array.from({ length: groups.count }, () => []);
      for (let i = 0; i < groups.groupOf.length; i++) this.#members[groups.groupOf[i]!]!.push(i);
      this.#groups = groups;
      this.#reader = new TableReader(this.#evaluation, source, stepCount);
      if (groups.count > 0) onParam(this.#param.values);
    }
    return READY;
  }

  series(): SeriesList {
    return this.#groups!.list;
  }

  /** One group a call: a group may be large. */
  next(batch: Batch): number {
    if (!this.#isRead) {
      if (this.#reader!.read() === PENDING) return PENDING;
      this.#isRead = true;
    }
    if (this.#nextGroup === this.#members.length) {
      this.#options.source.close();
      return 0;
    }
    batch.first = this.#nextGroup;
    batch.histograms = undefined;
    const members = this.#members[this.#nextGroup]!;
    const scratch = new Float64Array(members.length);
    while (this.#nextStep < batch.stepCount) {
      this.#evaluateStep(batch, members, scratch);
      this.#nextStep++;
      if (this.#evaluation.spend(members.length * 8) && this.#nextStep < batch.stepCount) return PENDING;
    }
    this.#nextStep = 0;
    this.#nextGroup++;
    return 1;
  }

  #evaluateStep({ values, present }: Batch, members: readonly number[], scratch: Float64Array): void {
    const { table } = this.#reader!;
    const { histograms } = table;
    const step = this.#nextStep;
    let count = 0;
    for (const row of members) {
      const cell = row * table.stepCount + step;
      if (table.present[cell] === 0) continue;
      if (histograms !== undefined && histograms[cell] !== undefined) this.#options.onHistogram();
      else scratch[count++] = table.values[cell]!;
    }
    present[step] = count > 0 ? 1 : 0;
    values[step] = quantileOf(this.#param.values[step]!, scratch.subarray(0, count));
  }

  close(): void {
    this.#options.source.close();
    this.#param.close();
  }
}
