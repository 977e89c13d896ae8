import type { Evaluation } from './evaluation.ts';
import { SeriesGrouper, type Grouping, type Groups } from './group-keys.ts';
import { PENDING, READY, createBatch, dropHistograms, type Batch, type Operator, type SeriesList } from './operator.ts';
import { ScalarReader } from './table.ts';
import { toCounts } from './counts.ts';
import { ValueHeap } from './value-heap.ts';

export interface TopkOptions {
  readonly source: Operator;
  readonly param: Operator;
  readonly grouping: Grouping;
  /** topk, else bottomk. */
  readonly wantsLargest: boolean;
  readonly stepCount: number;
  /** Called where a histogram is ignored. */
  readonly onHistogram: () => void;
}

/**
 * topk and bottomk: a heap of at most k samples per group and step. All of the input is taken in by `open()`, so the
 * output is only the series that are in some heap; with one step they come best first.
 */
export class TopkOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: TopkOptions;
  readonly #param: ScalarReader;
  readonly #input: Batch;
  #opened = 0;
  #grouper: SeriesGrouper | undefined;
  #groups: Groups | undefined;
  #heap: ValueHeap | undefined;
  /** Input series of output series i. */
  #order: Int32Array = new Int32Array(0);
  /** Entries of input series s: #entries[#starts[s] .. #starts[s + 1]), positions in the heap's columns. */
  #starts: Int32Array = new Int32Array(0);
  #entries: Int32Array = new Int32Array(0);
  #stepOfEntry: Int32Array = new Int32Array(0);
  #nextRow = 0;

  constructor(evaluation: Evaluation, options: TopkOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#param = new ScalarReader(options.param, options.stepCount);
    this.#input = createBatch(options.stepCount);
  }

  open(): number {
    if (this.#opened === 0) {
      if (this.#options.source.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (this.#param.read() === PENDING) return PENDING;
      this.#opened = 2;
    }
    if (this.#opened === 2) {
      const { source, grouping } = this.#options;
      this.#grouper ??= new SeriesGrouper(this.#evaluation, source.series(), grouping);
      if (this.#grouper.run() === PENDING) return PENDING;
      this.#opened = 3;
      this.#createHeap(this.#grouper.groups);
    }
    if (this.#opened === 3) {
      if (this.#fold() === PENDING) return PENDING;
      this.#opened = 4;
      this.#arrange();
      this.#options.source.close();
    }
    return READY;
  }

  #createHeap(groups: Groups): void {
    const { source, wantsLargest, stepCount } = this.#options;
    const sizes = new Int32Array(groups.count);
    for (const group of groups.groupOf) sizes[group]!++;
    const limits = toCounts(this.#param.values, source.series().count);
    this.#groups = groups;
    this.#heap = new ValueHeap(this.#evaluation, { groupSizes: sizes, limits, stepCount, wantsLargest });
  }

  #fold(): number {
    const heap = this.#heap!;
    const { groupOf } = this.#groups!;
    const input = this.#input;
    const { stepCount, values, present } = input;
    for (;;) {
      const rows = this.#options.source.next(input);
      if (rows === PENDING) return PENDING;
      if (rows === 0) return READY;
      if (dropHistograms(input, rows) > 0) this.#options.onHistogram();
      for (let r = 0; r < rows; r++) {
        const series = input.first + r;
        const group = groupOf[series]!;
        for (let i = 0; i < stepCount; i++) {
          if (present[r * stepCount + i] === 1) heap.offer(group, i, values[r * stepCount + i]!, series);
        }
      }
      if (this.#evaluation.spend(rows * stepCount * 4)) return PENDING;
    }
  }

  /** Finds the series that are in a heap and their entries. */
  #arrange(): void {
    const heap = this.#heap!;
    const seriesCount = this.#options.source.series().count;
    const starts = new Int32Array(seriesCount + 1);
    let total = 0;
    heap.forEach((position) => {
      starts[heap.series[position]! + 1]!++;
      total++;
    });
    for (let s = 0; s < seriesCount; s++) starts[s + 1]! += starts[s]!;
    const next = starts.slice();
    this.#entries = new Int32Array(total);
    this.#stepOfEntry = new Int32Array(total);
    const order: number[] = [];
    heap.forEach((position, step) => {
      const series = heap.series[position]!;
      if (next[series] === starts[series]) order.push(series);
      const entry = next[series]!++;
      this.#entries[entry] = position;
      this.#stepOfEntry[entry] = step;
    });
    if (this.#options.stepCount > 1) order.sort((a, b) => a - b);
    this.#starts = starts;
    this.#order = Int32Array.from(order);
  }

  series(): SeriesList {
    const source = this.#options.source.series();
    const order = this.#order;
    return {
      count: order.length,
      labels: (index) => source.labels(order[index]!),
      dropsName: (index) => source.dropsName(order[index]!),
    };
  }

  next(batch: Batch): number {
    const heap = this.#heap!;
    const { stepCount, capacity, values, present } = batch;
    const rows = Math.min(capacity, this.#order.length - this.#nextRow);
    batch.first = this.#nextRow;
    batch.histograms = undefined;
    present.fill(0, 0, rows * stepCount);
    let count = 0;
    for (let r = 0; r < rows; r++) {
      const series = this.#order[this.#nextRow + r]!;
      for (let entry = this.#starts[series]!; entry < this.#starts[series + 1]!; entry++) {
        const cell = r * stepCount + this.#stepOfEntry[entry]!;
        values[cell] = heap.values[this.#entries[entry]!]!;
        present[cell] = 1;
        count++;
      }
    }
    this.#nextRow += rows;
    this.#evaluation.spend(rows * stepCount);
    return rows;
  }

  close(): void {
    this.#options.source.close();
    this.#param.close();
  }
}
