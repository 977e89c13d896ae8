import type { Labels } from '../../model/labels.ts';
import { formatHistogram } from '../../model/histogram-text.ts';
import { formatFloatF } from '../../util/decimal.ts';
import type { Evaluation } from './evaluation.ts';
import { groupingKey, groupingLabels, type Grouping } from './group-keys.ts';
import { PENDING, READY, createBatch, type Batch, type Operator, type SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';

export interface CountValuesOptions {
  readonly source: Operator;
  /** Gets the value's text. */
  readonly label: string;
  readonly grouping: Grouping;
  readonly stepCount: number;
}

/** count_values: what series there are depends on the values, so `open()` takes in all of the input. */
export class CountValuesOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: CountValuesOptions;
  readonly #input: Batch;
  readonly #key: (labels: Labels) => string;
  readonly #labelsOf: (labels: Labels) => Labels;
  readonly #outputs = new Map<string, number>();
  readonly #labels: Labels[] = [];
  readonly #drops: number[] = [];
  readonly #counts: Float64Array[] = [];
  #opened = 0;
  #nextRow = 0;

  constructor(evaluation: Evaluation, options: CountValuesOptions) {
    const { label, grouping } = options;
    const labels = grouping.without ? grouping.labels : [...grouping.labels, label];
    this.#evaluation = evaluation;
    this.#options = options;
    this.#input = createBatch(options.stepCount);
    this.#key = groupingKey({ labels, without: grouping.without });
    this.#labelsOf = groupingLabels({ labels, without: grouping.without });
  }

  open(): number {
    const { source } = this.#options;
    if (this.#opened === 0) {
      if (source.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    const input = this.#input;
    while (this.#opened === 1) {
      const rows = source.next(input);
      if (rows === PENDING) return PENDING;
      if (rows === 0) {
        this.#opened = 2;
        source.close();
      }
      for (let r = 0; r < rows; r++) this.#fold(input, r);
      if (this.#evaluation.spend(rows * input.stepCount * 4)) return PENDING;
    }
    return READY;
  }

  #fold({ first, values, present, histograms, stepCount }: Batch, row: number): void {
    const series = this.#options.source.series();
    const labels = series.labels(first + row);
    const base = row * stepCount;
    let lastValue = NaN;
    let counts: Float64Array | undefined;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      const histogram = histograms?.[base + i];
      const value = values[base + i]!;
      if (histogram) {
        counts = this.#countsOf(labels, formatHistogram(histogram), series.dropsName(first + row));
        counts[i]!++;
        counts = undefined;
        continue;
      }
      if (counts === undefined || !Object.is(value, lastValue)) {
        counts = this.#countsOf(labels, formatFloatF(value), series.dropsName(first + row));
        lastValue = value;
      }
      counts[i]!++;
    }
  }

  /** The counts of the group that a value of a series belongs to. */
  #countsOf(labels: Labels, value: string, dropsName: boolean): Float64Array {
    const own = labels.with(this.#options.label, value);
    const key = this.#key(own);
    let output = this.#outputs.get(key);
    if (output === undefined) {
      output = this.#labels.length;
      this.#outputs.set(key, output);
      this.#labels.push(this.#labelsOf(own));
      this.#drops.push(0);
      this.#counts.push(this.#evaluation.floats(this.#options.stepCount));
    }
    if (dropsName) this.#drops[output] = 1;
    return this.#counts[output]!;
  }

  series(): SeriesList {
    return listOf(this.#labels, this.#drops);
  }

  next(batch: Batch): number {
    const { stepCount, capacity, values, present } = batch;
    const rows = Math.min(capacity, this.#counts.length - this.#nextRow);
    batch.first = this.#nextRow;
    batch.histograms = undefined;
    for (let r = 0; r < rows; r++) {
      const counts = this.#counts[this.#nextRow + r]!;
      for (let i = 0; i < stepCount; i++) {
        values[r * stepCount + i] = counts[i]!;
        present[r * stepCount + i] = counts[i]! > 0 ? 1 : 0;
      }
    }
    this.#nextRow += rows;
    this.#evaluation.spend(rows * stepCount);
    return rows;
  }

  close(): void {
    this.#options.source.close();
  }
}
