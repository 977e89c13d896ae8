import { FloatHistogram } from './float-histogram.ts';
import { Buckets } from './histogram-buckets.ts';
import { bucketBound } from './histogram-bounds.ts';
import { fractionBelow } from './histogram-quantile.ts';

/**
 * The observations below `limit` (the operator `</`) or above it (`>/`). Of a bucket that `limit` falls into, the part
 * that interpolation gives; count and sum are then estimated from what is left. Unchanged when nothing is cut off.
 */
export function trimHistogram(h: FloatHistogram, limit: number, keepsBelow: boolean): FloatHistogram {
  const trim = new Trim(h, limit, keepsBelow);
  const positive = trim.side(h.positive, true);
  const negative = trim.side(h.negative, false);
  const zeroCount = trim.zeroBucket(hasPopulated(h.positive), hasPopulated(h.negative));
  if (!trim.hasCut) return h;
  return new FloatHistogram({
    hint: h.hint,
    schema: h.schema,
    zeroThreshold: h.zeroThreshold,
    zeroCount,
    count: trim.count,
    sum: trim.sum,
    positive,
    negative,
    customBounds: h.customBounds,
  }).compact();
}

function hasPopulated({ counts }: Buckets): boolean {
  return counts.some((count) => count !== 0);
}

/** Part of a bucket that is kept, and the value its observations are taken to have. */
interface Kept {
  readonly count: number;
  readonly middle: number;
}

class Trim {
  readonly #histogram: FloatHistogram;
  readonly #limit: number;
  readonly #keepsBelow: boolean;
  hasCut = false;
  count = 0;
  sum = 0;

  constructor(histogram: FloatHistogram, limit: number, keepsBelow: boolean) {
    this.#histogram = histogram;
    this.#limit = limit;
    this.#keepsBelow = keepsBelow;
  }

  side({ indexes, counts }: Buckets, isPositive: boolean): Buckets {
    const { schema, customBounds } = this.#histogram;
    const kept = counts.slice();
    for (let i = 0; i < counts.length; i++) {
      if (counts[i]! === 0) continue;
      const outer = bucketBound(indexes[i]!, schema, customBounds);
      const inner = bucketBound(indexes[i]! - 1, schema, customBounds);
      kept[i] = this.#keep(
        counts[i]!,
        isPositive ? this.#part(inner, outer, counts[i]!) : this.#part(-outer, -inner, counts[i]!),
      );
    }
    return new Buckets(indexes, kept);
  }

  /** An empty side bounds the zero bucket at 0. */
  zeroBucket(hasPositive: boolean, hasNegative: boolean): number {
    const { zeroCount, zeroThreshold } = this.#histogram;
    if (!(zeroCount > 0)) return zeroCount;
    const lower = hasPositive && !hasNegative ? 0 : -zeroThreshold;
    const upper = hasNegative && !hasPositive ? 0 : zeroThreshold;
    const limit = this.#limit;
    const whole = { count: zeroCount, middle: (lower + upper) / 2 };
    const none = { count: 0, middle: 0 };
    let part: Kept;
    if (limit <= lower) part = this.#keepsBelow ? none : whole;
    else if (limit >= upper) part = this.#keepsBelow ? whole : none;
    else if (this.#keepsBelow) {
      part = { count: zeroCount * ((limit - lower) / (upper - lower)), middle: (lower + limit) / 2 };
    } else part = { count: zeroCount * ((upper - limit) / (upper - lower)), middle: (limit + upper) / 2 };
    return this.#keep(zeroCount, part);
  }

  #keep(count: number, part: Kept): number {
    if (part.count !== count) this.hasCut = true;
    this.sum += part.middle * part.count;
    this.count += part.count;
    return part.count;
  }

  #part(lower: number, upper: number, count: number): Kept {
    const limit = this.#limit;
    const isInside = this.#keepsBelow ? upper <= limit : lower >= limit;
    if (isInside) return { count, middle: this.#middle(lower, upper) };
    const isCut = this.#keepsBelow ? lower < limit : upper > limit;
    if (!isCut) return { count: 0, middle: 0 };
    if (lower === -Infinity) return this.#partOfLowest(upper, count);
    if (upper === Infinity) return { count: this.#keepsBelow || limit < lower ? 0 : count, middle: limit };
    const below = count * fractionBelow(limit, lower, upper, this.#histogram.hasCustomBuckets);
    return this.#keepsBelow
      ? { count: below, middle: this.#middle(lower, limit) }
      : { count: count - below, middle: this.#middle(limit, upper) };
  }

  /** Of the custom bucket from -Inf on: one with a positive end is taken to begin at 0, another has no known width. */
  #partOfLowest(upper: number, count: number): Kept {
    const limit = this.#limit;
    const hasWidth = upper > 0 && upper !== Infinity;
    if (this.#keepsBelow) {
      if (limit > 0 && hasWidth) return { count: (count * limit) / upper, middle: limit / 2 };
      return { count: upper <= 0 ? count : 0, middle: limit };
    }
    if (limit >= 0 && hasWidth) return { count: count * (1 - limit / upper), middle: (limit + upper) / 2 };
    return { count: limit === -Infinity ? count : 0, middle: 0 };
  }

  /** Arithmetic mean of custom bounds, geometric mean with its sign of exponential ones. */
  #middle(lower: number, upper: number): number {
    if (lower === -Infinity) return upper > 0 ? (upper === Infinity ? 0 : upper / 2) : upper;
    if (upper === Infinity) return lower;
    if (this.#histogram.hasCustomBuckets) return (lower + upper) / 2;
    const middle = Math.sqrt(Math.abs(lower * upper));
    return upper > 0 ? middle : -middle;
  }
}
