import type { FloatHistogram } from './float-histogram.ts';
import { bucketBound } from './histogram-bounds.ts';
import { allBuckets } from './histogram-walk.ts';

/**
 * What NaN observations, which are in the count but in no bucket, do to a result: make it NaN, or take it from fewer
 * observations than there are.
 */
export type NanEffect = 'none' | 'isNan' | 'isSkewed';

export interface Estimate {
  readonly value: number;
  readonly nanEffect: NanEffect;
}

/**
 * The value that a share `q` of the observations does not exceed. Inside a bucket it is interpolated: linearly in custom
 * buckets and the zero bucket, else on the logarithm. NaN without observations; -Inf and +Inf for q outside [0, 1].
 */
export function histogramQuantile(q: number, h: FloatHistogram): Estimate {
  if (q < 0) return certain(-Infinity);
  if (q > 1) return certain(Infinity);
  if (h.count === 0 || q !== q) return certain(NaN);
  // From the nearer end, which is more exact; NaN observations lie beyond the upper one.
  const isAscending = h.sum !== h.sum || q < 0.5;
  const rank = (isAscending ? q : 1 - q) * h.count;
  const buckets = new BucketCursor(h);
  let last = -1;
  let reached = 0;
  for (let i = 0; i < buckets.size; i++) {
    last = isAscending ? i : buckets.size - 1 - i;
    const count = buckets.countAt(last);
    if (count === 0) continue;
    reached += count;
    if (reached >= rank) break;
  }
  const place = last < 0 ? EMPTY_PLACE : buckets.placeAt(last);
  return valueAtRank({ h, place, rank, reached, isAscending, after: () => buckets.countAfter(last) });
}

function certain(value: number): Estimate {
  return { value, nanEffect: 'none' };
}

interface Place {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

const EMPTY_PLACE: Place = { lower: 0, upper: 0, count: 0 };

interface Search {
  readonly h: FloatHistogram;
  /** Bucket where the search ended. */
  readonly place: Place;
  readonly rank: number;
  /** Observations passed, with those of `place`. */
  readonly reached: number;
  readonly isAscending: boolean;
  /** Observations in the buckets above `place`. */
  readonly after: () => number;
}

function valueAtRank({ h, place, rank, reached, isAscending, after }: Search): Estimate {
  let { lower, upper } = place;
  if (h.hasCustomBuckets) {
    if (lower === -Infinity) {
      if (upper <= 0) return certain(upper);
      lower = 0;
    } else if (upper === Infinity) return certain(lower);
  } else if (lower < 0 && upper > 0) {
    ({ lower, upper } = zeroBucketBounds(h, place));
  }
  const count = Math.min(reached, h.count);
  const hasNan = h.sum !== h.sum;
  if (count < rank) return hasNan ? { value: NaN, nanEffect: 'isNan' } : certain(upper);
  const inBucket = isAscending ? rank - (count - place.count) : count - rank;
  const nanEffect = hasNan && count + after() < h.count ? 'isSkewed' : 'none';
  return { value: interpolate(lower, upper, inBucket / place.count, h.hasCustomBuckets), nanEffect };
}

/** Without negative buckets the zero bucket begins at 0, without positive ones it ends there. */
function zeroBucketBounds(
  h: FloatHistogram,
  { lower, upper }: { lower: number; upper: number },
): {
  lower: number;
  upper: number;
} {
  const hasPositive = h.positive.indexes.length > 0;
  const hasNegative = h.negative.indexes.length > 0;
  return { lower: hasPositive && !hasNegative ? 0 : lower, upper: hasNegative && !hasPositive ? 0 : upper };
}

function interpolate(lower: number, upper: number, fraction: number, isCustom: boolean): number {
  if (isCustom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (logLower + (logUpper - logLower) * fraction);
  return -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
}

/** Counts of all buckets in ascending order, and the bounds of the one that is asked for. */
class BucketCursor {
  readonly #histogram: FloatHistogram;
  readonly #negativeCount: number;
  readonly #zeroSize: number;
  readonly size: number;

  constructor(histogram: FloatHistogram) {
    this.#histogram = histogram;
    this.#negativeCount = histogram.negative.indexes.length;
    this.#zeroSize = histogram.zeroCount > 0 ? 1 : 0;
    this.size = this.#negativeCount + this.#zeroSize + histogram.positive.indexes.length;
  }

  countAt(i: number): number {
    const { positive, negative, zeroCount } = this.#histogram;
    if (i < this.#negativeCount) return negative.counts[this.#negativeCount - 1 - i]!;
    const next = i - this.#negativeCount - this.#zeroSize;
    return next < 0 ? zeroCount : positive.counts[next]!;
  }

  countAfter(i: number): number {
    let count = 0;
    for (let k = i + 1; k < this.size; k++) count += this.countAt(k);
    return count;
  }

  placeAt(i: number): Place {
    const { schema, customBounds, zeroThreshold, positive, negative } = this.#histogram;
    const count = this.countAt(i);
    if (i < this.#negativeCount) {
      const index = negative.indexes[this.#negativeCount - 1 - i]!;
      const inner = Math.max(bucketBound(index - 1, schema, customBounds), zeroThreshold);
      return { lower: -bucketBound(index, schema, customBounds), upper: -inner, count };
    }
    const next = i - this.#negativeCount - this.#zeroSize;
    if (next < 0) return { lower: -zeroThreshold, upper: zeroThreshold, count };
    const inner = bucketBound(positive.indexes[next]! - 1, schema, customBounds);
    const upper = bucketBound(positive.indexes[next]!, schema, customBounds);
    return { lower: inner > 0 ? Math.max(inner, zeroThreshold) : inner, upper, count };
  }
}

/** The part of a bucket's width at or below `x`, which is strictly inside its finite bounds. */
export function fractionBelow(x: number, lower: number, upper: number, isLinear: boolean): number {
  if (isLinear) return (x - lower) / (upper - lower);
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logX = Math.log2(Math.abs(x));
  return x > 0 ? (logX - logLower) / (logUpper - logLower) : 1 - (logX - logUpper) / (logLower - logUpper);
}

/**
 * The share of the observations between `lower` and `upper`, interpolated as the quantile is. NaN observations are in no
 * share. NaN without observations or with a NaN bound; 0 when lower is not below upper.
 */
export function histogramFraction(lower: number, upper: number, h: FloatHistogram): Estimate {
  if (h.count === 0 || lower !== lower || upper !== upper) return certain(NaN);
  if (lower >= upper) return certain(0);
  const { lowers, uppers, counts } = allBuckets(h);
  const rankOf = (x: number): number => {
    let rank = 0;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      const spansZero = lowers[i]! <= 0 && uppers[i]! >= 0;
      const bounds = { lower: lowers[i]!, upper: uppers[i]! };
      const { lower: from, upper: to } = spansZero ? zeroBucketBounds(h, bounds) : bounds;
      if (from >= x) return rank;
      // Inside the bucket from -Inf on nothing is known: all of it counts, as a classic histogram's first bucket does.
      if (to > x) {
        return from === -Infinity ? count : rank + count * fractionBelow(x, from, to, h.hasCustomBuckets || spansZero);
      }
      rank += count;
    }
    return Infinity;
  };
  const hasNan = h.sum !== h.sum;
  const inBuckets = hasNan ? counts.reduce((sum, count) => sum + count, 0) : h.count;
  const value = (Math.min(rankOf(upper), inBuckets) - Math.min(rankOf(lower), inBuckets)) / h.count;
  return { value, nanEffect: hasNan && inBuckets < h.count ? 'isSkewed' : 'none' };
}

/** Variance of the observations, each taken to lie in the middle of its bucket. */
export function histogramVariance(h: FloatHistogram): number {
  const mean = h.sum / h.count;
  const { lowers, uppers, counts } = allBuckets(h);
  let sum = 0;
  let rest = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]! === 0) continue;
    const distance = middleOf(lowers[i]!, uppers[i]!, h.hasCustomBuckets) - mean;
    const x = counts[i]! * distance * distance;
    const t = sum + x;
    if (t === Infinity || t === -Infinity) rest = 0;
    else rest += Math.abs(sum) >= Math.abs(x) ? sum - t + x : x - t + sum;
    sum = t;
  }
  return (sum + rest) / h.count;
}

/** The middle of a bucket: arithmetic of custom ones, 0 of the zero bucket, else geometric. */
function middleOf(lower: number, upper: number, isCustom: boolean): number {
  if (isCustom) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  const middle = Math.sqrt(upper * lower);
  return upper < 0 ? -middle : middle;
}
