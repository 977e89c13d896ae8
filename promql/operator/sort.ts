import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, histogramsOf, type Batch, type Operator, type SeriesList } from './operator.ts';
import { TableReader } from './table.ts';

/** Less than 0 when the first of two rows comes first. */
export type RowOrder = (a: number, b: number, values: Float64Array, series: SeriesList) => number;

/** Puts the series of an instant query in an order; built for one step only. */
export class SortOperator implements Operator {
  readonly #source: Operator;
  readonly #evaluation: Evaluation;
  readonly #compare: RowOrder;
  readonly #floatsOnly: boolean;
  #isOpen = false;
  #reader: TableReader | undefined;
  #order: Int32Array = new Int32Array(0);
  #nextRow = 0;

  /** Samples that are histograms have no place in an order by value. */
  constructor(evaluation: Evaluation, source: Operator, compare: RowOrder, floatsOnly: boolean) {
    this.#floatsOnly = floatsOnly;
    this.#evaluation = evaluation;
    this.#source = source;
    this.#compare = compare;
  }

  open(): number {
    if (!this.#isOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isOpen = true;
      this.#reader = new TableReader(this.#evaluation, this.#source, 1);
    }
    const reader = this.#reader!;
    if (reader.read() === PENDING) return PENDING;
    const { values, present, histograms } = reader.table;
    const series = this.#source.series();
    const rows: number[] = [];
    for (let i = 0; i < series.count; i++) {
      if (present[i] === 1 && !(this.#floatsOnly && histograms?.[i])) rows.push(i);
    }
    rows.sort((a, b) => this.#compare(a, b, values, series));
    this.#order = Int32Array.from(rows);
    return READY;
  }

  series(): SeriesList {
    const source = this.#source.series();
    const order = this.#order;
    return {
      count: order.length,
      labels: (index) => source.labels(order[index]!),
      dropsName: (index) => source.dropsName(order[index]!),
    };
  }

  next(batch: Batch): number {
    const { values, histograms } = this.#reader!.table;
    batch.histograms = undefined;
    const rows = Math.min(batch.capacity, this.#order.length - this.#nextRow);
    batch.first = this.#nextRow;
    for (let r = 0; r < rows; r++) {
      const row = this.#order[this.#nextRow + r]!;
      batch.values[r] = values[row]!;
      const histogram = histograms?.[row];
      if (histogram) histogramsOf(batch)[r] = histogram;
    }
    batch.present.fill(1, 0, rows);
    this.#nextRow += rows;
    return rows;
  }

  close(): void {
    this.#source.close();
  }
}
