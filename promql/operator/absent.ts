import type { Labels } from '../../model/labels.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, createBatch, type Batch, type Operator, type SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';

/** 1 at the steps where the input has no sample at all. */
export class AbsentOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #source: Operator;
  readonly #list: SeriesList;
  readonly #input: Batch;
  readonly #seen: Uint8Array;
  #isDone = false;

  constructor(evaluation: Evaluation, source: Operator, labels: Labels, stepCount: number) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#list = listOf([labels]);
    this.#input = createBatch(stepCount);
    this.#seen = evaluation.bytes(stepCount);
  }

  open(): number {
    return this.#source.open();
  }

  series(): SeriesList {
    return this.#list;
  }

  next(batch: Batch): number {
    if (this.#isDone) return 0;
    const input = this.#input;
    const { stepCount } = input;
    const seen = this.#seen;
    for (;;) {
      const rows = this.#source.next(input);
      if (rows === PENDING) return PENDING;
      if (rows === 0) break;
      const { present } = input;
      for (let r = 0; r < rows; r++) {
        const base = r * stepCount;
        for (let i = 0; i < stepCount; i++) seen[i]! |= present[base + i]!;
      }
      if (this.#evaluation.spend(rows * stepCount)) return PENDING;
    }
    this.#isDone = true;
    batch.first = 0;
    batch.histograms = undefined;
    let count = 0;
    for (let i = 0; i < stepCount; i++) {
      const isAbsent = 1 - seen[i]!;
      batch.present[i] = isAbsent;
      batch.values[i] = 1;
      count += isAbsent;
    }
    this.#source.close();
    return 1;
  }

  close(): void {
    this.#source.close();
  }
}
