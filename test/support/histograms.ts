import fc from 'fast-check';
import { FloatHistogram, NO_BOUNDS, type CounterResetHint } from '../../model/float-histogram.ts';
import { CUSTOM_SCHEMA } from '../../model/histogram-bounds.ts';
import { Buckets, NO_BUCKETS } from '../../model/histogram-buckets.ts';
import { parseHistogram } from '../../promql/parse/histogram-notation.ts';

/** The histogram of a text as scripts write it, without the outer braces. */
export function histogram(items: string): FloatHistogram {
  return parseHistogram(`{{${items}}}`, 0).value.histogram;
}

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

function bucketsArb(min: number, max: number): fc.Arbitrary<Buckets> {
  const bucket = fc.tuple(fc.integer({ min, max }), fc.integer({ min: 0, max: 20 }));
  return fc.uniqueArray(bucket, { selector: ([index]) => index, maxLength: 8 }).map((pairs) => {
    const sorted = pairs.toSorted(([a], [b]) => a - b);
    return new Buckets(
      Int32Array.from(sorted, ([index]) => index),
      Float64Array.from(sorted, ([, count]) => count),
    );
  });
}

function totalOf({ counts }: Buckets): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Histograms with whole counts, whose count is the sum of their buckets, outside of which nothing is populated. */
export const exponentialArb: fc.Arbitrary<FloatHistogram> = fc
  .record({
    schema: fc.integer({ min: -1, max: 3 }),
    threshold: fc.constantFrom(0, 0.001, 0.5, 1, 3),
    zeroCount: fc.integer({ min: 0, max: 9 }),
    sum: fc.integer({ min: -1000, max: 1000 }),
    hint: fc.constantFrom(...HINTS),
    positive: bucketsArb(-6, 20),
    negative: bucketsArb(-6, 20),
  })
  .map(({ schema, threshold, zeroCount, sum, hint, positive, negative }) => {
    const above = (buckets: Buckets): Buckets => {
      const from = buckets.indexes.findIndex((index) => 2 ** ((index - 1) / 2 ** schema) >= threshold);
      if (from < 0) return NO_BUCKETS;
      return new Buckets(buckets.indexes.slice(from), buckets.counts.slice(from));
    };
    const sides = { positive: above(positive), negative: above(negative) };
    const count = zeroCount + totalOf(sides.positive) + totalOf(sides.negative);
    return new FloatHistogram({
      hint,
      schema,
      zeroThreshold: threshold,
      zeroCount,
      count,
      sum,
      ...sides,
      customBounds: NO_BOUNDS,
    });
  });

export const customArb: fc.Arbitrary<FloatHistogram> = fc
  .record({
    bounds: fc.uniqueArray(fc.integer({ min: -5, max: 10 }), { minLength: 0, maxLength: 6 }),
    counts: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 7, maxLength: 7 }),
    sum: fc.integer({ min: -1000, max: 1000 }),
    hint: fc.constantFrom(...HINTS),
  })
  .map(({ bounds, counts, sum, hint }) => {
    const customBounds = Float64Array.from(bounds.toSorted((a, b) => a - b));
    const used = Float64Array.from(counts.slice(0, bounds.length + 1));
    const positive = new Buckets(
      Int32Array.from(used, (_, i) => i),
      used,
    );
    return new FloatHistogram({
      hint,
      schema: CUSTOM_SCHEMA,
      zeroThreshold: 0,
      zeroCount: 0,
      count: totalOf(positive),
      sum,
      positive,
      negative: NO_BUCKETS,
      customBounds,
    });
  });

/** Two of the same kind. */
export const pairArb: fc.Arbitrary<readonly [FloatHistogram, FloatHistogram]> = fc.oneof(
  fc.tuple(exponentialArb, exponentialArb),
  fc.tuple(customArb, customArb),
);
