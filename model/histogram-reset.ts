import { boundsMatch, type FloatHistogram } from './float-histogram.ts';
import { commonBounds, widenZeroBucket } from './histogram-arithmetic.ts';
import { reduceBuckets, rollUpBuckets, type Buckets } from './histogram-buckets.ts';
import { coveredCount, reachOf } from './histogram-zero.ts';

/**
 * Whether a counter was reset between two histograms of a series: `current` says so, or it has fewer observations
 * somewhere, or a finer layout, to which a counter changes only when it starts anew.
 */
export function isReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.hint === 'reset') return true;
  if (current.hint === 'not_reset') return false;
  if (current.count < previous.count) return true;
  if (current.hasCustomBuckets !== previous.hasCustomBuckets) return true;
  if (current.hasCustomBuckets) return isCustomReset(current, previous);
  if (current.schema > previous.schema || current.zeroThreshold < previous.zeroThreshold) return true;
  const { schema, zeroThreshold } = current;
  if (reachOf(previous, zeroThreshold) !== zeroThreshold) return true;
  if (current.zeroCount < widenZeroBucket(previous, zeroThreshold).zeroCount) return true;
  const shift = previous.schema - schema;
  return (
    hasDrop(outside(current.positive, current), outside(reduceBuckets(previous.positive, shift), current)) ||
    hasDrop(outside(current.negative, current), outside(reduceBuckets(previous.negative, shift), current))
  );
}

function isCustomReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (boundsMatch(current.customBounds, previous.customBounds)) {
    return hasDrop({ buckets: current.positive, from: 0 }, { buckets: previous.positive, from: 0 });
  }
  const bounds = commonBounds(current.customBounds, previous.customBounds);
  return hasDrop(
    { buckets: rollUpBuckets(current.positive, current.customBounds, bounds), from: 0 },
    { buckets: rollUpBuckets(previous.positive, previous.customBounds, bounds), from: 0 },
  );
}

/** The buckets from one place on. */
interface Tail {
  readonly buckets: Buckets;
  readonly from: number;
}

/** The buckets that are not wholly inside the zero bucket of `h`. */
function outside(buckets: Buckets, { schema, zeroThreshold }: FloatHistogram): Tail {
  return { buckets, from: coveredCount(buckets.indexes, schema, zeroThreshold) };
}

/** Whether a bucket has fewer observations than it had before; one that is missing has none. */
function hasDrop(current: Tail, previous: Tail): boolean {
  const { indexes, counts } = current.buckets;
  const before = previous.buckets;
  let at = current.from;
  for (let i = previous.from; i < before.indexes.length; i++) {
    const index = before.indexes[i]!;
    while (at < indexes.length && indexes[at]! < index) at++;
    const isMissing = at === indexes.length || indexes[at]! !== index;
    if (isMissing ? before.counts[i]! !== 0 : counts[at]! < before.counts[i]!) return true;
  }
  return false;
}
