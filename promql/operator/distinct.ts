import { CodedError } from '../../util/errors.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, type Batch, type Operator, type SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';
import { SeriesNumbering } from './series-numbering.ts';
import { TableReader, type Table } from './table.ts';

export const SAME_LABELSET = 'vector cannot contain metrics with the same labelset';

export interface DistinctOptions {
  readonly source: Operator;
  readonly stepCount: number;
  /** Asked after the source was opened: can two of its series have the same labels at all? */
  readonly mayRepeat: () => boolean;
  /** Series of the same labels are one when no step has two samples; else, they may not exist beside each other. */
  readonly mayMerge: boolean;
  readonly message: string;
}

/**
 * Joins series of its input that came to have the same labels, which is an error where they have samples at the same
 * step. Costs nothing when there are none such.
 */
export class DistinctOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: DistinctOptions;
  #isSourceOpen = false;
  #numbering: SeriesNumbering | undefined;
  #list: SeriesList | undefined;
  /** Output series of input series i; undefined when all are distinct. */
  #outputOf: Int32Array | undefined;
  #reader: TableReader | undefined;
  #merged: Table | undefined;
  #nextRow = 0;

  constructor(evaluation: Evaluation, options: DistinctOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
  }

  open(): number {
    const { source, mayRepeat } = this.#options;
    if (!this.#isSourceOpen) {
      if (source.open() === PENDING) return PENDING;
      this.#isSourceOpen = true;
      this.#list = source.series();
      if (mayRepeat()) this.#numbering = new SeriesNumbering(this.#evaluation, this.#list, (labels) => labels.key());
    }
    if (this.#numbering !== undefined) {
      if (this.#numbering.run() === PENDING) return PENDING;
      this.#joinRepeated(source.series(), this.#numbering);
      this.#numbering = undefined;
    }
    return READY;
  }

  series(): SeriesList {
    return this.#list ?? listOf([]);
  }

  next(batch: Batch): number {
    const { source } = this.#options;
    const reader = this.#reader;
    const outputOf = this.#outputOf;
    if (reader === undefined || outputOf === undefined) return source.next(batch);
    if (this.#merged === undefined) {
      if (reader.read() === PENDING) return PENDING;
      this.#merged = this.#merge(reader.table, outputOf);
      source.close();
    }
    const { stepCount, capacity } = batch;
    const rows = Math.min(capacity, this.series().count - this.#nextRow);
    batch.first = this.#nextRow;
    const from = this.#nextRow * stepCount;
    const to = from + rows * stepCount;
    batch.values.set(this.#merged.values.subarray(from, to));
    batch.present.set(this.#merged.present.subarray(from, to));
    batch.histograms = this.#merged.histograms?.slice(from, to);
    this.#nextRow += rows;
    return rows;
  }

  close(): void {
    this.#options.source.close();
  }

  #joinRepeated(source: SeriesList, { firsts, numberOf }: SeriesNumbering): void {
    if (firsts.length === source.count) return;
    this.#outputOf = numberOf;
    this.#list = listOf(
      firsts.map((index) => source.labels(index)),
      firsts.map((index) => (source.dropsName(index) ? 1 : 0)),
    );
    this.#reader = new TableReader(this.#evaluation, this.#options.source, this.#options.stepCount);
  }

  /** In place: outputs are numbered in the order of their first inputs, so no row is overwritten before it is read. */
  #merge(table: Table, outputOf: Int32Array): Table {
    const { values, present, histograms, stepCount } = table;
    const hasSamples = new Uint8Array(outputOf.length);
    let outputCount = 0;
    for (let row = 0; row < outputOf.length; row++) {
      const from = row * stepCount;
      const output = outputOf[row]!;
      const to = output * stepCount;
      const rowHasSamples = present.subarray(from, from + stepCount).includes(1);
      if (output === outputCount) {
        outputCount++;
        present.copyWithin(to, from, from + stepCount);
        values.copyWithin(to, from, from + stepCount);
        histograms?.copyWithin(to, from, from + stepCount);
      } else {
        if (rowHasSamples && hasSamples[output] === 1 && !this.#options.mayMerge) this.#fail();
        for (let i = 0; i < stepCount; i++) {
          if (present[from + i] === 0) continue;
          if (present[to + i] === 1) this.#fail();
          present[to + i] = 1;
          values[to + i] = values[from + i]!;
          if (histograms) histograms[to + i] = histograms[from + i];
        }
      }
      if (rowHasSamples) hasSamples[output] = 1;
    }
    return table;
  }

  #fail(): never {
    throw new CodedError('execution', this.#options.message);
  }
}
