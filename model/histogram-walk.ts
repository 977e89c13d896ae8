import { bucketBound, CUSTOM_SCHEMA } from './histogram-bounds.ts';
import type { FloatHistogram } from './float-histogram.ts';

/** Buckets of a histogram with their bounds, as columns ascending by value. */
export interface BucketColumns {
  readonly lowers: Float64Array;
  readonly uppers: Float64Array;
  readonly counts: Float64Array;
}

/**
 * All buckets, negative ones first, empty ones included; the zero bucket, [-threshold, threshold], when it is populated.
 * Bounds that would reach into the zero bucket end at its threshold.
 */
export function allBuckets(h: FloatHistogram): BucketColumns {
  return walk(h, h.zeroThreshold, h.zeroCount > 0);
}

/** As `allBuckets`, with the bounds of the schema even inside the zero bucket, and that with any count but 0. */
export function unclippedBuckets(h: FloatHistogram): BucketColumns {
  return walk(h, 0, h.zeroCount !== 0);
}

function walk(h: FloatHistogram, clip: number, hasZero: boolean): BucketColumns {
  const { schema, positive, negative, customBounds, zeroCount, zeroThreshold } = h;
  const zeroPlace = negative.indexes.length;
  const size = zeroPlace + (hasZero ? 1 : 0) + positive.indexes.length;
  const lowers = new Float64Array(size);
  const uppers = new Float64Array(size);
  const counts = new Float64Array(size);
  for (let i = 0; i < zeroPlace; i++) {
    const place = zeroPlace - 1 - i;
    const index = negative.indexes[i]!;
    lowers[place] = -bucketBound(index, schema, customBounds);
    uppers[place] = -Math.max(bucketBound(index - 1, schema, customBounds), clip);
    counts[place] = negative.counts[i]!;
  }
  let place = zeroPlace;
  if (hasZero) {
    lowers[place] = -zeroThreshold;
    uppers[place] = zeroThreshold;
    counts[place++] = zeroCount;
  }
  for (let i = 0; i < positive.indexes.length; i++, place++) {
    const index = positive.indexes[i]!;
    const lower = bucketBound(index - 1, schema, customBounds);
    lowers[place] = lower > 0 ? Math.max(lower, clip) : lower;
    uppers[place] = bucketBound(index, schema, customBounds);
    counts[place] = positive.counts[i]!;
  }
  return { lowers, uppers, counts };
}

/** Which bounds belong to the bucket, as the API's number: 0 upper, 1 lower, 2 none, 3 both. */
export type Boundaries = 0 | 1 | 2 | 3;

export function boundariesOf(schema: number, lower: number, upper: number): Boundaries {
  if (schema === CUSTOM_SCHEMA) return lower === -Infinity ? 3 : 0;
  if (lower <= 0 && upper >= 0) return 3;
  return upper > 0 ? 0 : 1;
}
