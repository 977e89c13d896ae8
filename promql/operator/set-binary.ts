import type { SetOp } from '../parse/ast.ts';
import type { Evaluation } from './evaluation.ts';
import { SeriesMatcher, type MatchGroups, type MatchLabels } from './match-groups.ts';
import { PENDING, READY, createBatch, type Batch, type Operator, type SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';

export interface SetBinaryOptions {
  readonly op: SetOp;
  readonly match: MatchLabels;
  readonly lhs: Operator;
  readonly rhs: Operator;
  readonly stepCount: number;
}

/**
 * and, or, unless. One side is reduced to the steps at which each match group has a sample; then the other side streams
 * by and keeps the steps where its group has one, or has none. For `or` the left side goes out first, as it is.
 */
export class SetBinaryOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: SetBinaryOptions;
  #opened = 0;
  #matcher: SeriesMatcher | undefined;
  #groups: MatchGroups | undefined;
  #list: SeriesList = listOf([]);
  /** Per group and step: the reduced side has a sample. */
  #seen: Uint8Array = new Uint8Array(0);
  readonly #input: Batch;
  #isReduced = false;

  constructor(evaluation: Evaluation, options: SetBinaryOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#input = createBatch(options.stepCount);
  }

  open(): number {
    const { lhs, rhs, match, stepCount } = this.#options;
    if (this.#opened === 0) {
      if (lhs.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (rhs.open() === PENDING) return PENDING;
      this.#opened = 2;
    }
    if (this.#opened === 2) {
      this.#matcher ??= new SeriesMatcher(this.#evaluation, lhs.series(), rhs.series(), match);
      if (this.#matcher.run() === PENDING) return PENDING;
      this.#opened = 3;
      this.#groups = this.#matcher.groups;
      this.#seen = this.#evaluation.bytes(this.#groups.count * stepCount);
      this.#list = this.#outputSeries(lhs.series(), rhs.series());
    }
    return READY;
  }

  series(): SeriesList {
    return this.#list;
  }

  #outputSeries(left: SeriesList, right: SeriesList): SeriesList {
    if (this.#options.op !== 'or') return left;
    const leftCount = left.count;
    return {
      count: leftCount + right.count,
      labels: (index) => (index < leftCount ? left.labels(index) : right.labels(index - leftCount)),
      dropsName: (index) => (index < leftCount ? left.dropsName(index) : right.dropsName(index - leftCount)),
    };
  }

  next(batch: Batch): number {
    const rows = this.#options.op === 'or' ? this.#nextOfUnion(batch) : this.#nextOfLeft(batch);
    if (rows === PENDING) return PENDING;
    if (rows === 0) {
      this.#options.lhs.close();
      this.#options.rhs.close();
      return 0;
    }
    this.#evaluation.spend(rows * batch.stepCount);
    return rows;
  }

  #nextOfLeft(batch: Batch): number {
    const { op, lhs, rhs } = this.#options;
    const { groupOfLeft, groupOfRight } = this.#groups!;
    const input = this.#input;
    while (!this.#isReduced) {
      const rows = rhs.next(input);
      if (rows === PENDING) return PENDING;
      if (rows === 0) this.#isReduced = true;
      else this.#note(input, rows, groupOfRight);
      if (this.#evaluation.spend(rows * input.stepCount)) return PENDING;
    }
    const rows = lhs.next(batch);
    if (rows > 0) this.#mask(batch, rows, groupOfLeft, op === 'and' ? 1 : 0);
    return rows;
  }

  #nextOfUnion(batch: Batch): number {
    const { lhs, rhs } = this.#options;
    const { groupOfLeft, groupOfRight } = this.#groups!;
    if (!this.#isReduced) {
      const rows = lhs.next(batch);
      if (rows !== 0) {
        if (rows > 0) this.#note(batch, rows, groupOfLeft);
        return rows;
      }
      this.#isReduced = true;
    }
    const rows = rhs.next(batch);
    if (rows > 0) {
      this.#mask(batch, rows, groupOfRight, 0);
      batch.first += lhs.series().count;
    }
    return rows;
  }

  #note({ first, present, stepCount }: Batch, rows: number, groupOf: Int32Array): void {
    const seen = this.#seen;
    for (let r = 0; r < rows; r++) {
      const base = r * stepCount;
      const cell = groupOf[first + r]! * stepCount;
      for (let i = 0; i < stepCount; i++) seen[cell + i]! |= present[base + i]!;
    }
  }

  /** Keeps the samples at steps where `seen` of their group is `wanted`. */
  #mask({ first, present, stepCount }: Batch, rows: number, groupOf: Int32Array, wanted: number): void {
    const seen = this.#seen;
    for (let r = 0; r < rows; r++) {
      const base = r * stepCount;
      const cell = groupOf[first + r]! * stepCount;
      for (let i = 0; i < stepCount; i++) if (seen[cell + i] !== wanted) present[base + i] = 0;
    }
  }

  close(): void {
    this.#options.lhs.close();
    this.#options.rhs.close();
  }
}
