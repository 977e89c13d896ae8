import { PENDING, READY, countPresent, createBatch, createHistograms } from './operator.ts';
import type { Batch, HistogramColumn, Operator } from './operator.ts';
import type { Evaluation } from './evaluation.ts';

/** All rows of an operator in memory, for nodes that need them together. Row r is at [r * stepCount, (r + 1) * stepCount). */
export class Table {
  readonly #evaluation: Evaluation;
  readonly stepCount: number;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  /** As in a batch. */
  histograms: HistogramColumn | undefined;
  /** Samples held in it. */
  sampleCount = 0;

  constructor(evaluation: Evaluation, rowCount: number, stepCount: number) {
    this.#evaluation = evaluation;
    this.stepCount = stepCount;
    this.values = evaluation.floats(rowCount * stepCount);
    this.present = evaluation.bytes(rowCount * stepCount);
  }

  /** Copies rows of a batch to row `first` and on. */
  copyRows(batch: Batch, rows: number, first: number): void {
    const length = rows * this.stepCount;
    const base = first * this.stepCount;
    this.values.set(batch.values.subarray(0, length), base);
    this.present.set(batch.present.subarray(0, length), base);
    this.sampleCount += countPresent(batch.present, 0, length);
    if (batch.histograms) this.#copyHistograms(batch.histograms, base, length);
  }

  #makeHistograms(): HistogramColumn {
    this.#evaluation.reserveBytes(this.values.length * 8);
    return createHistograms(this.values.length);
  }

  #copyHistograms(column: HistogramColumn, base: number, length: number): void {
    this.histograms ??= this.#makeHistograms();
    for (let i = 0; i < length; i++) this.histograms[base + i] = column[i];
  }
}

/** Reads all of an opened operator into a table, in bounded steps. */
export class TableReader {
  readonly #evaluation: Evaluation;
  readonly #source: Operator;
  readonly #batch: Batch;
  #table: Table | undefined;

  constructor(evaluation: Evaluation, source: Operator, stepCount: number) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#batch = createBatch(stepCount);
  }

  get table(): Table {
    this.#table ??= new Table(this.#evaluation, this.#source.series().count, this.#batch.stepCount);
    return this.#table;
  }

  /** READY when the table is complete, or PENDING. */
  read(): number {
    const table = this.table;
    for (;;) {
      const rows = this.#source.next(this.#batch);
      if (rows === PENDING) return PENDING;
      if (rows === 0) return READY;
      table.copyRows(this.#batch, rows, this.#batch.first);
      if (this.#evaluation.spend(rows * table.stepCount)) return PENDING;
    }
  }
}

/** The values of a scalar at each step. */
export class ScalarReader {
  readonly #source: Operator;
  readonly #batch: Batch;
  #isOpen = false;

  constructor(source: Operator, stepCount: number) {
    this.#source = source;
    this.#batch = createBatch(stepCount, 1);
  }

  /** READY when `values` are there, or PENDING. */
  read(): number {
    if (!this.#isOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isOpen = true;
    }
    return this.#source.next(this.#batch) === PENDING ? PENDING : READY;
  }

  get values(): Float64Array {
    return this.#batch.values;
  }

  close(): void {
    this.#source.close();
  }
}

/** Reads several scalars, one after the other. */
export class ScalarReaders {
  readonly #readers: readonly ScalarReader[];
  #done = 0;

  constructor(sources: readonly Operator[], stepCount: number) {
    this.#readers = sources.map((source) => new ScalarReader(source, stepCount));
  }

  read(): number {
    for (; this.#done < this.#readers.length; this.#done++) {
      if (this.#readers[this.#done]!.read() === PENDING) return PENDING;
    }
    return READY;
  }

  /** One column per scalar. Valid after `read()` said READY. */
  get columns(): Float64Array[] {
    return this.#readers.map((reader) => reader.values);
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }
}
