// Quantiles and fractions of classic histograms: cumulative counts by upper bound.

/** Buckets of one histogram at one step, ascending by bound; reused from step to step. */
export class Buckets {
  readonly bounds: Float64Array;
  readonly counts: Float64Array;
  size = 0;
  /** What `repair` found, for the annotation. */
  repaired: Repair | undefined;

  constructor(capacity: number) {
    this.bounds = new Float64Array(capacity);
    this.counts = new Float64Array(capacity);
  }

  clear(): void {
    this.size = 0;
    this.repaired = undefined;
  }

  /** Adds a bucket whose bound is not below those there are; the counts of equal bounds are summed. */
  add(bound: number, count: number): void {
    if (this.size > 0 && this.bounds[this.size - 1] === bound) {
      this.counts[this.size - 1]! += count;
      return;
    }
    this.bounds[this.size] = bound;
    this.counts[this.size] = count;
    this.size++;
  }

  /** The highest bound is +Inf. */
  get isComplete(): boolean {
    return this.size > 0 && this.bounds[this.size - 1] === Infinity;
  }

  /** Number of observations. */
  get total(): number {
    return this.size === 0 ? 0 : this.counts[this.size - 1]!;
  }

  /**
   * Makes the counts ascend: differences that come from float arithmetic silently, others with a note. They arise when
   * buckets are scraped or recorded at different times.
   */
  repair(): void {
    const { counts, bounds } = this;
    let previous = counts[0]!;
    for (let i = 1; i < this.size; i++) {
      const count = counts[i]!;
      if (count === previous) continue;
      if (isAlmostEqual(previous, count)) {
        counts[i] = previous;
        continue;
      }
      if (count < previous) {
        const drop = previous - count;
        const { repaired } = this;
        this.repaired = {
          minBound: Math.min(repaired?.minBound ?? Infinity, bounds[i]!),
          maxBound: Math.max(repaired?.maxBound ?? -Infinity, bounds[i]!),
          maxDrop: Math.max(repaired?.maxDrop ?? 0, drop),
        };
        counts[i] = previous;
        continue;
      }
      previous = count;
    }
  }
}

/** Bounds of the lowest and highest bucket that had less than the one before, and by how much at most. */
export interface Repair {
  readonly minBound: number;
  readonly maxBound: number;
  readonly maxDrop: number;
}

const SMALL_DIFFERENCE = 1e-12;

function isAlmostEqual(a: number, b: number): boolean {
  const scale = Math.min(Math.abs(a) + Math.abs(b), Number.MAX_VALUE);
  return Math.abs(a - b) / scale <= SMALL_DIFFERENCE;
}

/** The quantile by linear interpolation within a bucket. Repairs the buckets. */
export function bucketQuantile(q: number, buckets: Buckets): number {
  if (q !== q) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  if (!buckets.isComplete) return NaN;
  buckets.repair();
  const { bounds, counts, size } = buckets;
  if (size < 2) return NaN;
  const total = buckets.total;
  if (total === 0 || total !== total) return NaN;
  const rank = q * total;
  let b = 0;
  while (b < size - 1 && counts[b]! < rank) b++;
  if (b === size - 1) return bounds[size - 2]!;
  if (b === 0 && bounds[0]! <= 0) return bounds[0]!;
  const lower = b === 0 ? 0 : bounds[b - 1]!;
  const before = b === 0 ? 0 : counts[b - 1]!;
  return lower + (bounds[b]! - lower) * ((rank - before) / (counts[b]! - before));
}

/** The fraction of observations between two values. */
export function bucketFraction(lower: number, upper: number, buckets: Buckets): number {
  const total = buckets.total;
  if (!buckets.isComplete || total === 0 || total !== total || lower !== lower || upper !== upper) return NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, buckets) - rankOf(lower, buckets)) / total;
}

/** How many observations are below a value. */
function rankOf(value: number, { bounds, counts, size }: Buckets): number {
  const total = counts[size - 1]!;
  let rank = 0;
  for (let i = 0; i < size; i++) {
    const lower = i > 0 ? bounds[i - 1]! : bounds[0]! > 0 ? 0 : -Infinity;
    const upper = bounds[i]!;
    const count = counts[i]!;
    if (lower >= value) return Math.min(rank, total);
    if (upper > value) {
      if (lower === -Infinity) return Math.min(count, total);
      if (upper === Infinity) return Math.min(rank, total);
      return Math.min(rank + ((count - rank) * (value - lower)) / (upper - lower), total);
    }
    rank = count;
  }
  return total;
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The upper bound that an `le` label says; undefined when it says none. */
export function parseBound(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  const match = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (match) return match[1] === '-' ? -Infinity : Infinity;
  return /^nan$/i.test(text) ? NaN : undefined;
}
