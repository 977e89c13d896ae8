import { boundsMatch, FloatHistogram, NO_BOUNDS, type CounterResetHint } from './float-histogram.ts';
import { addBuckets, Buckets, compactBuckets, dropFirst, mergedIndexes, NO_BUCKETS } from './histogram-buckets.ts';
import { rolledUpIndexes, rollUpBuckets } from './histogram-buckets.ts';
import { CUSTOM_SCHEMA } from './histogram-bounds.ts';
import { absorbedCount, commonZeroThreshold, coveredCount } from './histogram-zero.ts';

/** The result of adding or subtracting two histograms. Buckets that have become empty are still there. */
export interface Combined {
  readonly histogram: FloatHistogram;
  /** One operand said its counter was reset, the other that it was not. */
  readonly hintsCollide: boolean;
  /** The operands had other custom bounds; the result has those they have in common. */
  readonly boundsReconciled: boolean;
}

/** Undefined when one has exponential and the other custom buckets. */
export function addHistograms(a: FloatHistogram, b: FloatHistogram): Combined | undefined {
  return combine(a, b, 1);
}

/** The hint is found as for an addition. Undefined when one has exponential and the other custom buckets. */
export function subtractHistograms(a: FloatHistogram, b: FloatHistogram): Combined | undefined {
  return combine(a, b, -1);
}

function combine(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): Combined | undefined {
  if (a.hasCustomBuckets !== b.hasCustomBuckets) return undefined;
  const isSame = boundsMatch(a.customBounds, b.customBounds);
  const histogram = a.hasCustomBuckets ? combineCustom(a, b, sign, isSame) : combineExponential(a, b, sign);
  return { histogram, hintsCollide: hintsCollide(a.hint, b.hint), boundsReconciled: !isSame };
}

function combineCustom(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1, isSame: boolean): FloatHistogram {
  const customBounds = isSame ? a.customBounds : commonBounds(a.customBounds, b.customBounds);
  let positive: Buckets;
  if (isSame) {
    positive = addBuckets(a.positive, b.positive, 0, sign);
  } else {
    const rolledUp = rollUpBuckets(a.positive, a.customBounds, customBounds);
    const targets = rolledUpIndexes(b.positive.indexes, b.customBounds, customBounds);
    positive = compactBuckets(addBuckets(rolledUp, new Buckets(targets, b.positive.counts), 0, sign));
  }
  return new FloatHistogram({
    hint: combinedHint(a.hint, b.hint),
    schema: CUSTOM_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    positive,
    negative: NO_BUCKETS,
    customBounds,
  });
}

function combineExponential(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): FloatHistogram {
  const schema = Math.min(a.schema, b.schema);
  const zeroThreshold = a.zeroThreshold === b.zeroThreshold ? a.zeroThreshold : commonZeroThreshold(a, b);
  const left = widenZeroBucket(a, zeroThreshold).reduce(schema);
  const right = widenZeroBucket(b, zeroThreshold);
  const shift = right.schema - schema;
  return new FloatHistogram({
    hint: combinedHint(a.hint, b.hint),
    schema,
    zeroThreshold,
    zeroCount: left.zeroCount + sign * right.zeroCount,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    positive: addSide(left.positive, right.positive, shift, { schema, zeroThreshold, sign }),
    negative: addSide(left.negative, right.negative, shift, { schema, zeroThreshold, sign }),
    customBounds: NO_BOUNDS,
  });
}

interface SideOptions {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly sign: 1 | -1;
}

function addSide(a: Buckets, b: Buckets, shift: number, { schema, zeroThreshold, sign }: SideOptions): Buckets {
  const added = shift === 0 ? b : new Buckets(mergedIndexes(b.indexes, shift), b.counts);
  return addBuckets(a, added, coveredCount(added.indexes, schema, zeroThreshold), sign);
}

/** With a wider zero bucket, which must not end inside a populated bucket (see `commonZeroThreshold`). */
export function widenZeroBucket(h: FloatHistogram, zeroThreshold: number): FloatHistogram {
  if (zeroThreshold === h.zeroThreshold) return h;
  const positiveCount = absorbedCount(h.positive, h.schema, zeroThreshold);
  const negativeCount = absorbedCount(h.negative, h.schema, zeroThreshold);
  let zeroCount = h.zeroCount;
  for (let i = 0; i < positiveCount; i++) zeroCount += h.positive.counts[i]!;
  for (let i = 0; i < negativeCount; i++) zeroCount += h.negative.counts[i]!;
  return new FloatHistogram({
    hint: h.hint,
    schema: h.schema,
    zeroThreshold,
    zeroCount,
    count: h.count,
    sum: h.sum,
    positive: dropFirst(h.positive, positiveCount),
    negative: dropFirst(h.negative, negativeCount),
    customBounds: h.customBounds,
  });
}

/** What the sum of two histograms says of counter resets. */
export function combinedHint(a: CounterResetHint, b: CounterResetHint): CounterResetHint {
  if (a === b) return a;
  return a === 'gauge' || b === 'gauge' ? 'gauge' : 'unknown';
}

export function hintsCollide(a: CounterResetHint, b: CounterResetHint): boolean {
  return (a === 'reset' && b === 'not_reset') || (a === 'not_reset' && b === 'reset');
}

/** Bounds that are in both lists. */
export function commonBounds(a: Float64Array, b: Float64Array): Float64Array {
  const inB = new Set(b);
  return a.filter((bound) => inB.has(bound));
}
