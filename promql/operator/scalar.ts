import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, createBatch, dropHistograms, type Batch, type Operator, type SeriesList } from './operator.ts';
import { SINGLE_SERIES } from './series-list.ts';
import { ScalarReaders } from './table.ts';

/** A scalar computed from other scalars (none for constants and time()), as one series that is present at every step. */
export class ScalarOperator implements Operator {
  readonly #stepTimes: Float64Array;
  readonly #params: ScalarReaders;
  readonly #fn: ScalarFunction;
  #isDone = false;

  constructor(stepTimes: Float64Array, fn: ScalarFunction, args: readonly Operator[]) {
    this.#stepTimes = stepTimes;
    this.#params = new ScalarReaders(args, stepTimes.length);
    this.#fn = fn;
  }

  open(): number {
    return this.#params.read();
  }

  series(): SeriesList {
    return SINGLE_SERIES;
  }

  next(batch: Batch): number {
    if (this.#isDone) return 0;
    this.#isDone = true;
    const columns = this.#params.columns;
    batch.first = 0;
    batch.histograms = undefined;
    const a = columns[0];
    const b = columns[1];
    for (let i = 0; i < batch.stepCount; i++) {
      batch.values[i] = this.#fn(a === undefined ? 0 : a[i]!, b === undefined ? 0 : b[i]!, this.#stepTimes[i]!);
    }
    batch.present.fill(1, 0, batch.stepCount);
    return 1;
  }

  close(): void {
    this.#params.close();
  }
}

/** From up to two scalars and the time of the step in ms. */
export type ScalarFunction = (a: number, b: number, timeMs: number) => number;

/** scalar(v): the value of the only sample of a step, NaN when there is none or more than one. */
export class ScalarOfVectorOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #source: Operator;
  readonly #input: Batch;
  readonly #values: Float64Array;
  readonly #counts: Uint8Array;
  #isDone = false;

  constructor(evaluation: Evaluation, source: Operator, stepCount: number) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#input = createBatch(stepCount);
    this.#values = evaluation.floats(stepCount);
    this.#counts = evaluation.bytes(stepCount);
  }

  open(): number {
    return this.#source.open() === PENDING ? PENDING : READY;
  }

  series(): SeriesList {
    return SINGLE_SERIES;
  }

  next(batch: Batch): number {
    if (this.#isDone) return 0;
    const input = this.#input;
    const { stepCount } = input;
    for (;;) {
      const rows = this.#source.next(input);
      if (rows === PENDING) return PENDING;
      if (rows === 0) break;
      dropHistograms(input, rows);
      for (let r = 0; r < rows; r++) this.#foldRow(input, r * stepCount);
      if (this.#evaluation.spend(rows * stepCount)) return PENDING;
    }
    this.#isDone = true;
    batch.first = 0;
    batch.histograms = undefined;
    for (let i = 0; i < stepCount; i++) batch.values[i] = this.#counts[i] === 1 ? this.#values[i]! : NaN;
    batch.present.fill(1, 0, stepCount);
    this.#source.close();
    return 1;
  }

  #foldRow({ values, present, stepCount }: Batch, base: number): void {
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      this.#values[i] = values[base + i]!;
      if (this.#counts[i]! < 2) this.#counts[i]!++;
    }
  }

  close(): void {
    this.#source.close();
  }
}
