// hot path: once per sample that an aggregation takes in.
import type { Evaluation } from './evaluation.ts';
import type { Batch } from './operator.ts';

/** The state of an aggregation over groups x steps; a cell is group * stepCount + step. */
export interface Accumulator {
  /** Takes in one row of samples: step i of the row at `base` goes to cell `cell + i`. */
  fold(batch: Batch, base: number, cell: number): void;
  /** Writes the results of the cells from `cell` on to a row of `out`. */
  finish(out: Batch, base: number, cell: number): void;
}

export type AccumulatorFactory = (evaluation: Evaluation, cellCount: number) => Accumulator;

/** Aggregations that need one number or a few per group and step. */
export const ACCUMULATORS: ReadonlyMap<string, AccumulatorFactory> = new Map<string, AccumulatorFactory>([
  ['sum', (evaluation, cellCount) => new SumAccumulator(evaluation, cellCount)],
  ['avg', (evaluation, cellCount) => new MeanAccumulator(evaluation, cellCount)],
  ['min', (evaluation, cellCount) => new ExtremeAccumulator(evaluation, cellCount, -1)],
  ['max', (evaluation, cellCount) => new ExtremeAccumulator(evaluation, cellCount, 1)],
  ['count', (evaluation, cellCount) => new CountAccumulator(evaluation, cellCount)],
  ['group', (evaluation, cellCount) => new GroupAccumulator(evaluation, cellCount)],
  ['stdvar', (evaluation, cellCount) => new VarianceAccumulator(evaluation, cellCount, false)],
  ['stddev', (evaluation, cellCount) => new VarianceAccumulator(evaluation, cellCount, true)],
]);

/** Kahan-Neumaier compensated sum, as Prometheus does for sum and avg. */
class SumAccumulator implements Accumulator {
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #seen: Uint8Array;

  constructor(evaluation: Evaluation, cellCount: number) {
    this.#sums = evaluation.floats(cellCount);
    this.#compensations = evaluation.floats(cellCount);
    this.#seen = evaluation.bytes(cellCount);
  }

  fold({ values, present, stepCount }: Batch, base: number, cell: number): void {
    const sums = this.#sums;
    const compensations = this.#compensations;
    const seen = this.#seen;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      const x = values[base + i]!;
      const at = cell + i;
      if (seen[at] === 0) {
        seen[at] = 1;
        sums[at] = x;
        continue;
      }
      const s = sums[at]!;
      const t = s + x;
      if (t === Infinity || t === -Infinity) compensations[at] = 0;
      else if (Math.abs(s) >= Math.abs(x)) compensations[at]! += s - t + x;
      else compensations[at]! += x - t + s;
      sums[at] = t;
    }
  }

  finish(out: Batch, base: number, cell: number): void {
    for (let i = 0; i < out.stepCount; i++) {
      out.present[base + i] = this.#seen[cell + i]!;
      out.values[base + i] = this.#sums[cell + i]! + this.#compensations[cell + i]!;
    }
  }
}

/** Sum by count; a cell whose sum would overflow goes over to an incremental mean for good. */
class MeanAccumulator implements Accumulator {
  /** The sum, or the mean of an incremental cell. */
  readonly #sums: Float64Array;
  readonly #compensations: Float64Array;
  readonly #counts: Float64Array;
  readonly #isIncremental: Uint8Array;

  constructor(evaluation: Evaluation, cellCount: number) {
    this.#sums = evaluation.floats(cellCount);
    this.#compensations = evaluation.floats(cellCount);
    this.#counts = evaluation.floats(cellCount);
    this.#isIncremental = evaluation.bytes(cellCount);
  }

  fold({ values, present, stepCount }: Batch, base: number, cell: number): void {
    const sums = this.#sums;
    const compensations = this.#compensations;
    const counts = this.#counts;
    const isIncremental = this.#isIncremental;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      const x = values[base + i]!;
      const at = cell + i;
      const count = ++counts[at]!;
      if (count === 1) {
        sums[at] = x;
        continue;
      }
      const s = sums[at]!;
      const t = s + x;
      if (isIncremental[at] === 1 || t === Infinity || t === -Infinity) {
        this.#foldIncremental(at, x, count);
        continue;
      }
      if (Math.abs(s) >= Math.abs(x)) compensations[at]! += s - t + x;
      else compensations[at]! += x - t + s;
      sums[at] = t;
    }
  }

  #foldIncremental(at: number, x: number, count: number): void {
    const sums = this.#sums;
    const compensations = this.#compensations;
    if (this.#isIncremental[at] === 0) {
      this.#isIncremental[at] = 1;
      sums[at]! /= count - 1;
      compensations[at]! /= count - 1;
    }
    const q = (count - 1) / count;
    const part = x / count;
    const mean = q * sums[at]!;
    let c = q * compensations[at]!;
    const t = mean + part;
    if (t === Infinity || t === -Infinity) c = 0;
    else if (Math.abs(mean) >= Math.abs(part)) c += mean - t + part;
    else c += part - t + mean;
    sums[at] = t;
    compensations[at] = c;
  }

  finish(out: Batch, base: number, cell: number): void {
    for (let i = 0; i < out.stepCount; i++) {
      const at = cell + i;
      const count = this.#counts[at]!;
      const divisor = this.#isIncremental[at] === 1 ? 1 : count;
      out.present[base + i] = count > 0 ? 1 : 0;
      out.values[base + i] = this.#sums[at]! / divisor + this.#compensations[at]! / divisor;
    }
  }
}

/** min and max; NaN gives way to any number. `sign` is 1 for max, -1 for min. */
class ExtremeAccumulator implements Accumulator {
  readonly #values: Float64Array;
  readonly #seen: Uint8Array;
  readonly #sign: number;

  constructor(evaluation: Evaluation, cellCount: number, sign: number) {
    this.#values = evaluation.floats(cellCount);
    this.#seen = evaluation.bytes(cellCount);
    this.#sign = sign;
  }

  fold({ values, present, stepCount }: Batch, base: number, cell: number): void {
    const best = this.#values;
    const seen = this.#seen;
    const sign = this.#sign;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      const x = values[base + i]!;
      const at = cell + i;
      const current = best[at]!;
      if (seen[at] === 0 || sign * x > sign * current || current !== current) best[at] = x;
      seen[at] = 1;
    }
  }

  finish(out: Batch, base: number, cell: number): void {
    for (let i = 0; i < out.stepCount; i++) {
      out.present[base + i] = this.#seen[cell + i]!;
      out.values[base + i] = this.#values[cell + i]!;
    }
  }
}

class CountAccumulator implements Accumulator {
  readonly #counts: Float64Array;

  constructor(evaluation: Evaluation, cellCount: number) {
    this.#counts = evaluation.floats(cellCount);
  }

  fold({ present, stepCount }: Batch, base: number, cell: number): void {
    const counts = this.#counts;
    for (let i = 0; i < stepCount; i++) counts[cell + i]! += present[base + i]!;
  }

  finish(out: Batch, base: number, cell: number): void {
    for (let i = 0; i < out.stepCount; i++) {
      const count = this.#counts[cell + i]!;
      out.present[base + i] = count > 0 ? 1 : 0;
      out.values[base + i] = count;
    }
  }
}

class GroupAccumulator implements Accumulator {
  readonly #seen: Uint8Array;

  constructor(evaluation: Evaluation, cellCount: number) {
    this.#seen = evaluation.bytes(cellCount);
  }

  fold({ present, stepCount }: Batch, base: number, cell: number): void {
    const seen = this.#seen;
    for (let i = 0; i < stepCount; i++) seen[cell + i]! |= present[base + i]!;
  }

  finish(out: Batch, base: number, cell: number): void {
    for (let i = 0; i < out.stepCount; i++) {
      out.present[base + i] = this.#seen[cell + i]!;
      out.values[base + i] = 1;
    }
  }
}

/** Population variance by Welford's method, not compensated. */
class VarianceAccumulator implements Accumulator {
  readonly #means: Float64Array;
  readonly #squares: Float64Array;
  readonly #counts: Float64Array;
  readonly #takesRoot: boolean;

  constructor(evaluation: Evaluation, cellCount: number, takesRoot: boolean) {
    this.#means = evaluation.floats(cellCount);
    this.#squares = evaluation.floats(cellCount);
    this.#counts = evaluation.floats(cellCount);
    this.#takesRoot = takesRoot;
  }

  fold({ values, present, stepCount }: Batch, base: number, cell: number): void {
    const means = this.#means;
    const squares = this.#squares;
    const counts = this.#counts;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      const x = values[base + i]!;
      const at = cell + i;
      const count = ++counts[at]!;
      if (count === 1) {
        means[at] = x;
        squares[at] = x - x === 0 ? 0 : NaN;
        continue;
      }
      const d = x - means[at]!;
      const mean = means[at]! + d / count;
      means[at] = mean;
      squares[at]! += d * (x - mean);
    }
  }

  finish(out: Batch, base: number, cell: number): void {
    for (let i = 0; i < out.stepCount; i++) {
      const count = this.#counts[cell + i]!;
      const variance = this.#squares[cell + i]! / count;
      out.present[base + i] = count > 0 ? 1 : 0;
      out.values[base + i] = this.#takesRoot ? Math.sqrt(variance) : variance;
    }
  }
}
