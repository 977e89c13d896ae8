import { PENDING, createBatch, histogramsOf, type Batch, type Operator, type SeriesList } from './operator.ts';

/** Evaluates its input at one step and repeats the result at all steps. */
export class StepInvariantOperator implements Operator {
  readonly #source: Operator;
  #input: Batch | undefined;

  /** `source` is built for one step. */
  constructor(source: Operator) {
    this.#source = source;
  }

  open(): number {
    return this.#source.open();
  }

  series(): SeriesList {
    return this.#source.series();
  }

  next(batch: Batch): number {
    const { stepCount } = batch;
    this.#input ??= createBatch(1, batch.capacity);
    const input = this.#input;
    const rows = this.#source.next(input);
    if (rows === PENDING) return PENDING;
    batch.first = input.first;
    batch.histograms = undefined;
    for (let r = 0; r < rows; r++) {
      batch.values.fill(input.values[r]!, r * stepCount, (r + 1) * stepCount);
      batch.present.fill(input.present[r]!, r * stepCount, (r + 1) * stepCount);
      const histogram = input.histograms?.[r];
      if (histogram) histogramsOf(batch).fill(histogram, r * stepCount, (r + 1) * stepCount);
    }
    return rows;
  }

  close(): void {
    this.#source.close();
  }
}
