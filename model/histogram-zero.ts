import { bucketBound } from './histogram-bounds.ts';
import { NO_BOUNDS } from './float-histogram.ts';

/** Buckets of one side by ascending index, as `Buckets` and the sums of many histograms have them. */
interface Side {
  readonly indexes: Int32Array;
  readonly counts: Float64Array;
}

interface Sides {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positive: Side;
  readonly negative: Side;
}

/**
 * The least threshold both histograms can have: at least the larger of the two, and nowhere inside a bucket that has
 * observations, because nobody knows on which side of it they are.
 */
export function commonZeroThreshold(a: Sides, b: Sides): number {
  let threshold = Math.max(a.zeroThreshold, b.zeroThreshold);
  for (;;) {
    const widened = Math.max(reachOf(a, threshold), reachOf(b, threshold));
    if (!(widened > threshold)) return threshold;
    threshold = widened;
  }
}

/** The threshold, or the end of the populated bucket it falls into. A threshold that is not wider falls into none. */
export function reachOf({ schema, zeroThreshold, positive, negative }: Sides, threshold: number): number {
  if (threshold === zeroThreshold) return threshold;
  return Math.max(sideReach(positive, schema, threshold), sideReach(negative, schema, threshold));
}

function sideReach(side: Side, schema: number, threshold: number): number {
  const last = absorbedCount(side, schema, threshold) - 1;
  if (last < 0 || side.counts[last]! === 0) return threshold;
  return Math.max(threshold, bucketBound(side.indexes[last]!, schema, NO_BOUNDS));
}

/** How many buckets begin below the threshold; they are the first ones. */
export function absorbedCount({ indexes }: Side, schema: number, threshold: number): number {
  let count = 0;
  while (count < indexes.length && bucketBound(indexes[count]! - 1, schema, NO_BOUNDS) < threshold) count++;
  return count;
}

/** How many buckets, counted from the first, end at or below the threshold: nothing of them is outside. */
export function coveredCount(indexes: Int32Array, schema: number, threshold: number): number {
  let count = 0;
  while (count < indexes.length && bucketBound(indexes[count]!, schema, NO_BOUNDS) <= threshold) count++;
  return count;
}
