// hot path: one heap per group and step, in shared columns.
import type { Evaluation } from './evaluation.ts';

export interface ValueHeapOptions {
  /** How many series each group can offer. */
  readonly groupSizes: Int32Array;
  /** k at each step. */
  readonly limits: Int32Array;
  readonly stepCount: number;
  readonly wantsLargest: boolean;
}

/**
 * Keeps the k best values per group and step with the worst at the root, NaN being worst of all. Pushing, replacing and
 * restoring are those of a plain binary heap, so that of equal values the same ones stay as in Prometheus.
 */
export class ValueHeap {
  readonly values: Float64Array;
  readonly series: Int32Array;
  readonly #counts: Int32Array;
  /** Places per step in each group, and where the group's first is. */
  readonly #widths: Int32Array;
  readonly #starts: Int32Array;
  readonly #limits: Int32Array;
  readonly #stepCount: number;
  readonly #sign: number;

  constructor(evaluation: Evaluation, { groupSizes, limits, stepCount, wantsLargest }: ValueHeapOptions) {
    let widest = 0;
    for (const limit of limits) widest = Math.max(widest, limit);
    this.#widths = groupSizes.map((size) => Math.min(size, widest));
    this.#starts = new Int32Array(groupSizes.length);
    let total = 0;
    for (let g = 0; g < groupSizes.length; g++) {
      this.#starts[g] = total;
      total += this.#widths[g]! * stepCount;
    }
    evaluation.reserveBytes(total * 4 + groupSizes.length * stepCount * 4);
    this.values = evaluation.floats(total);
    this.series = new Int32Array(total);
    this.#counts = new Int32Array(groupSizes.length * stepCount);
    this.#limits = limits;
    this.#stepCount = stepCount;
    this.#sign = wantsLargest ? 1 : -1;
  }

  offer(group: number, step: number, value: number, series: number): void {
    const cell = group * this.#stepCount + step;
    const base = this.#starts[group]! + step * this.#widths[group]!;
    const count = this.#counts[cell]!;
    const { values } = this;
    if (count < this.#limits[step]!) {
      values[base + count] = value;
      this.series[base + count] = series;
      this.#counts[cell] = count + 1;
      this.#up(base, count);
      return;
    }
    if (count === 0) return;
    const root = values[base]!;
    const isBetter = this.#sign * value > this.#sign * root || (root !== root && value === value);
    if (!isBetter) return;
    values[base] = value;
    this.series[base] = series;
    this.#down(base, count);
  }

  /** Calls `fn` with the position in the columns and the step of each entry, best first within a group and step. */
  forEach(fn: (position: number, step: number) => void): void {
    for (let g = 0; g < this.#widths.length; g++) {
      for (let i = 0; i < this.#stepCount; i++) {
        const base = this.#starts[g]! + i * this.#widths[g]!;
        const count = this.#counts[g * this.#stepCount + i]!;
        if (this.#stepCount === 1) {
          for (const position of this.#bestFirst(base, count)) fn(position, i);
        } else {
          for (let k = 0; k < count; k++) fn(base + k, i);
        }
      }
    }
  }

  #bestFirst(base: number, count: number): number[] {
    const positions = Array.from({ length: count }, (_, k) => base + k);
    return positions.sort((a, b) => (this.#isWorse(b, a) ? -1 : this.#isWorse(a, b) ? 1 : 0));
  }

  #isWorse(a: number, b: number): boolean {
    const x = this.values[a]!;
    const y = this.values[b]!;
    if (x !== x) return y === y;
    return this.#sign * x < this.#sign * y;
  }

  /** The order the heap keeps: NaN is less than anything, another NaN included. */
  #isLess(a: number, b: number): boolean {
    const x = this.values[a]!;
    return x !== x || this.#sign * x < this.#sign * this.values[b]!;
  }

  #up(base: number, from: number): void {
    let child = from;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isLess(base + child, base + parent)) return;
      this.#swap(base + child, base + parent);
      child = parent;
    }
  }

  #down(base: number, count: number): void {
    let parent = 0;
    for (;;) {
      const left = 2 * parent + 1;
      if (left >= count) return;
      const right = left + 1;
      const least = right < count && this.#isLess(base + right, base + left) ? right : left;
      if (!this.#isLess(base + least, base + parent)) return;
      this.#swap(base + least, base + parent);
      parent = least;
    }
  }

  #swap(a: number, b: number): void {
    const { values, series } = this;
    const value = values[a]!;
    values[a] = values[b]!;
    values[b] = value;
    const index = series[a]!;
    series[a] = series[b]!;
    series[b] = index;
  }
}
