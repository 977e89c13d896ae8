import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FloatHistogram } from '../../model/float-histogram.ts';
import { addHistograms, subtractHistograms } from '../../model/histogram-arithmetic.ts';
import type { Buckets } from '../../model/histogram-buckets.ts';
import { bucketBound } from '../../model/histogram-bounds.ts';
import { NO_BOUNDS } from '../../model/float-histogram.ts';
import { histogramFraction, histogramQuantile, histogramVariance } from '../../model/histogram-quantile.ts';
import { isReset } from '../../model/histogram-reset.ts';
import { HistogramMean, HistogramSum } from '../../model/histogram-sum.ts';
import { formatHistogram, formatHistogramNotation } from '../../model/histogram-text.ts';
import { trimHistogram } from '../../model/histogram-trim.ts';
import { allBuckets, boundariesOf } from '../../model/histogram-walk.ts';
import { customArb, exponentialArb, histogram, pairArb } from '../support/histograms.ts';

const RUNS = { seed: 20261124, numRuns: process.env['NARTHEX_LONG'] === undefined ? 300 : 20_000 };
const anyArb = fc.oneof(exponentialArb, customArb);

const add = (a: FloatHistogram, b: FloatHistogram): FloatHistogram => addHistograms(a, b)!.histogram;
const subtract = (a: FloatHistogram, b: FloatHistogram): FloatHistogram => subtractHistograms(a, b)!.histogram;
const text = (h: FloatHistogram): string => formatHistogramNotation(h.withHint('unknown'));

describe('bounds', () => {
  const file = new URL('../../../shared/spec/exponential-bounds-schema8.json', import.meta.url);

  test.skipIf(!existsSync(file))('are the bits of the reference', () => {
    const fractions = JSON.parse(readFileSync(file, 'utf8')) as number[];
    expect(fractions.length).toBe(256);
    for (let schema = 1; schema <= 8; schema++) {
      for (let i = 0; i < 2 ** schema; i++) {
        const fraction = fractions[i * 2 ** (8 - schema)]!;
        expect(bucketBound(i - 2 ** schema, schema, NO_BOUNDS)).toBe(fraction);
        expect(bucketBound(i + 40 * 2 ** schema, schema, NO_BOUNDS)).toBe(fraction * 2 ** 41);
      }
    }
  });

  test.each([
    [0, 0, 1],
    [-3, 0, 0.125],
    [1, -2, 16],
    [1, 8, 1.0027112750502025],
    [1024, 0, Number.MAX_VALUE],
    [64, -4, Number.MAX_VALUE],
    [1024 * 256, 8, Number.MAX_VALUE],
    [1024 * 256 - 1, 8, 1.7928322734501122e308],
    [1025, 0, Infinity],
  ])('of bucket %d, schema %d', (index, schema, bound) => {
    expect(bucketBound(index, schema, NO_BOUNDS)).toBe(bound);
  });
});

describe('addition', () => {
  test('does not depend on the order', () => {
    fc.assert(
      fc.property(pairArb, ([a, b]) => {
        expect(text(add(a, b))).toBe(text(add(b, a)));
      }),
      RUNS,
    );
  });

  test('is undone by subtraction, in the layout of the sum', () => {
    fc.assert(
      fc.property(pairArb, ([a, b]) => {
        const sum = add(a, b);
        const zero = subtract(a, a);
        expect(text(subtract(sum, b))).toBe(text(add(subtract(a, b), add(b, zero)).compact()));
        expect(subtract(sum, b).count).toBe(a.count);
      }),
      RUNS,
    );
  });

  test('may come before or after a change of schema', () => {
    fc.assert(
      fc.property(exponentialArb, exponentialArb, (a, b) => {
        fc.pre(a.zeroThreshold === b.zeroThreshold && a.zeroThreshold === 0);
        expect(text(add(a, b).reduce(-2))).toBe(text(add(a.reduce(-2), b.reduce(-2))));
      }),
      RUNS,
    );
  });

  test('keeps every observation', () => {
    fc.assert(
      fc.property(pairArb, ([a, b]) => {
        const sum = add(a, b);
        const inBuckets = allBuckets(sum).counts.reduce((total, count) => total + count, 0);
        expect(inBuckets).toBe(a.count + b.count);
        expect(sum.count).toBe(inBuckets);
      }),
      RUNS,
    );
  });

  test('with compensation gives the same for whole numbers', () => {
    fc.assert(
      fc.property(pairArb, pairArb, ([a, b], [c, d]) => {
        const sum = new HistogramSum(a);
        const mean = new HistogramMean(a);
        let plain: FloatHistogram | undefined = a;
        for (const each of [b, c, d]) {
          const outcome = sum.add(each);
          expect(mean.add(each)).toBe(outcome);
          if (outcome === 'incompatible') return;
          plain = add(plain, each);
        }
        expect(text(sum.total())).toBe(text(plain));
        expect(sum.total().hint).toBe(plain.hint);
        expect(text(mean.result())).toBe(text(plain.divide(4)));
      }),
      RUNS,
    );
  });

  test('with compensation does not lose small observations', () => {
    const sum = new HistogramSum(histogram('count:1 sum:1 buckets:[1e100]'));
    for (const part of ['sum:1e100 buckets:[1]', 'sum:1 buckets:[1]', 'sum:-1e100 buckets:[-1e100]']) {
      sum.add(histogram(part));
    }
    expect(sum.total().sum).toBe(2);
    expect([...sum.total().positive.counts]).toEqual([2]);
  });

  test('of a mean whose sum overflows', () => {
    const mean = new HistogramMean(histogram('count:1e308 sum:1e308 buckets:[1e308]'));
    for (let i = 0; i < 3; i++) mean.add(histogram('count:1e308 sum:1e308 buckets:[1e308]'));
    const { count, positive } = mean.result();
    expect(count / 1e308).toBeCloseTo(1, 12);
    expect(positive.counts[0]! / 1e308).toBeCloseTo(1, 12);
  });

  test.each([
    ['reset', 'not_reset', 'unknown', true],
    ['reset', 'reset', 'reset', false],
    ['gauge', 'not_reset', 'gauge', false],
    ['unknown', 'reset', 'unknown', false],
  ])('of hints %s and %s', (a, b, hint, collides) => {
    const sum = addHistograms(histogram(`counter_reset_hint:${a}`), histogram(`counter_reset_hint:${b}`))!;
    expect([sum.histogram.hint, sum.hintsCollide]).toEqual([hint, collides]);
  });

  test('is undefined between exponential and custom buckets', () => {
    const custom = histogram('schema:-53 custom_values:[1 2]');
    expect(addHistograms(histogram(''), custom)).toBeUndefined();
    expect(subtractHistograms(custom, histogram(''))).toBeUndefined();
    expect(new HistogramSum(custom).add(histogram(''))).toBe('incompatible');
  });

  test('widens the zero bucket to the end of a populated bucket', () => {
    const narrow = histogram('count:7 z_bucket:1 z_bucket_w:0.5 buckets:[1 2 3] offset:0');
    const wide = histogram('count:2 z_bucket:2 z_bucket_w:1.5');
    expect(text(add(narrow, wide))).toBe('{{count:9 z_bucket:6 z_bucket_w:2 offset:2 buckets:[3]}}');
    expect(text(add(wide, narrow))).toBe('{{count:9 z_bucket:6 z_bucket_w:2 offset:2 buckets:[3]}}');
  });

  test('keeps the custom bounds that both have', () => {
    const sum = addHistograms(
      histogram('schema:-53 count:10 custom_values:[1 2 3] buckets:[1 2 3 4]'),
      histogram('schema:-53 count:6 custom_values:[2 4] buckets:[1 2 3]'),
    )!;
    expect(sum.boundsReconciled).toBe(true);
    expect(text(sum.histogram)).toBe('{{schema:-53 count:16 custom_values:[2] buckets:[4 12]}}');
  });
});

test('division by zero leaves the zero bucket only', () => {
  const { count, sum, zeroCount, positive } = histogram('count:3 sum:-1 buckets:[3]').divide(0);
  expect([count, sum, zeroCount, positive.counts.length]).toEqual([Infinity, -Infinity, NaN, 0]);
});

test('a negative factor makes a gauge', () => {
  expect(histogram('count:1 counter_reset_hint:reset').scale(-1).hint).toBe('gauge');
  expect(histogram('count:1 counter_reset_hint:reset').divide(-1).hint).toBe('gauge');
});

test('weight in samples counts spans, buckets and bounds', () => {
  expect(histogram('').sampleWeight).toBe(11);
  expect(histogram('buckets:[1 2] n_buckets:[1]').sampleWeight).toBe(Math.floor((168 + 8 * 5 + 8) / 16));
});

describe('resets', () => {
  const base = 'schema:1 count:9 z_bucket:1 z_bucket_w:0.01 buckets:[2 0 3] n_buckets:[3]';
  test.each([
    ['equal', base, base, false],
    ['said', base, `${base} counter_reset_hint:reset`, true],
    ['denied', base, 'schema:1 counter_reset_hint:not_reset', false],
    ['fewer observations', base, 'schema:1 count:8 z_bucket:1 z_bucket_w:0.01 buckets:[2 0 3] n_buckets:[3]', true],
    ['a bucket fewer', base, 'schema:1 count:9 z_bucket:2 z_bucket_w:0.01 buckets:[2 0 2] n_buckets:[3]', true],
    ['a bucket gone', base, 'schema:1 count:9 z_bucket:5 z_bucket_w:0.01 buckets:[2] n_buckets:[3]', true],
    ['an empty bucket gone', 'count:1 buckets:[1 0]', 'count:1 buckets:[1]', false],
    ['negative side', base, 'schema:1 count:9 z_bucket:2 z_bucket_w:0.01 buckets:[2 0 3] n_buckets:[2]', true],
    ['fewer zeros', base, 'schema:1 count:9 z_bucket_w:0.01 buckets:[3 0 3] n_buckets:[3]', true],
    ['narrower zero bucket', base, 'schema:1 count:9 z_bucket:1 z_bucket_w:0.001 buckets:[2 0 3] n_buckets:[3]', true],
    ['finer schema', 'count:1', 'schema:1 count:1', true],
    ['coarser schema', 'schema:1 count:3 buckets:[1 1 1]', 'count:3 buckets:[1 2]', false],
    ['coarser schema, fewer', 'schema:1 count:3 buckets:[0 1 2]', 'count:3 buckets:[1 2]', true],
    ['wider zero bucket', 'count:3 z_bucket:1 buckets:[2]', 'count:3 z_bucket:3 z_bucket_w:1', false],
    ['wider zero bucket, fewer', 'count:3 z_bucket:1 buckets:[2]', 'count:3 z_bucket:2 z_bucket_w:1', true],
    ['zero bucket ends inside', 'count:2 buckets:[2]', 'count:9 z_bucket:9 z_bucket_w:0.9', true],
    ['custom after exponential', 'count:1', 'schema:-53 count:1 custom_values:[1]', true],
    ['exponential after custom', 'schema:-53 count:1 custom_values:[1]', 'count:1', true],
    ['same bounds', 'schema:-53 custom_values:[1] buckets:[1 2]', 'schema:-53 custom_values:[1] buckets:[1 1]', true],
    [
      'other bounds, more in common ones',
      'schema:-53 count:6 custom_values:[1 2 3] buckets:[1 2 3]',
      'schema:-53 count:6 custom_values:[2 4] buckets:[3 3]',
      false,
    ],
    [
      'other bounds, fewer in common ones',
      'schema:-53 count:6 custom_values:[1 2 3] buckets:[1 2 3]',
      'schema:-53 count:6 custom_values:[2 4] buckets:[2 4]',
      true,
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(isReset(histogram(after), histogram(before))).toBe(expected);
  });

  test('none when observations were only added', () => {
    fc.assert(
      fc.property(exponentialArb, exponentialArb, (a, b) => {
        const sum = add(a, b);
        // A bucket that a wider one cuts in two counts as a reset, as in Prometheus.
        fc.pre(sum.zeroThreshold === a.zeroThreshold);
        expect(isReset(sum.withHint('unknown'), a)).toBe(false);
      }),
      RUNS,
    );
  });
});

describe('quantile and fraction', () => {
  test('are each other’s inverse', () => {
    fc.assert(
      fc.property(anyArb, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (h, q) => {
        fc.pre(h.count > 0);
        const { value } = histogramQuantile(q, h);
        if (value === 0 || !Number.isFinite(value)) return;
        // Nothing is known of the outer custom buckets; the one around 0 is taken to begin there.
        if (h.hasCustomBuckets && (!(h.customBounds[0]! > 0) || value >= h.customBounds.at(-1)!)) return;
        const share = histogramFraction(-Infinity, value, h).value;
        expect(share).toBeGreaterThan(q - 1e-9);
        // Where buckets are empty the quantile is one end of a gap, and all of it has the same share.
        expect(histogramQuantile(share, h).value / value).toBeCloseTo(1, 6);
      }),
      RUNS,
    );
  });

  test.each([
    ['count:10 buckets:[0 10]', 0.5, Math.SQRT2],
    ['count:10 n_buckets:[0 10]', 0.25, -(2 ** 0.75)],
    ['count:10 z_bucket:10 z_bucket_w:0.2', 0.5, 0],
    ['count:4 z_bucket:2 z_bucket_w:0.2 buckets:[2] offset:3', 0.25, 0.1],
    ['schema:-53 count:4 custom_values:[4 8] buckets:[2 2]', 0.25, 2],
    ['schema:-53 count:4 custom_values:[4 8] buckets:[0 0 4]', 0.5, 8],
    ['schema:-53 count:4 custom_values:[-4 8] buckets:[4]', 0.5, -4],
    ['count:10 buckets:[10]', 1.5, Infinity],
    ['count:10 buckets:[10]', -1, -Infinity],
    ['count:0', 0.5, NaN],
  ])('%s at %d', (items, q, expected) => {
    const { value, nanEffect } = histogramQuantile(q, histogram(items));
    if (Number.isFinite(expected)) expect(value).toBeCloseTo(expected, 12);
    else expect(value).toBe(expected);
    expect(nanEffect).toBe('none');
  });

  test('NaN observations', () => {
    const h = histogram('count:10 sum:NaN buckets:[0 8]');
    expect(histogramQuantile(0.9, h)).toEqual({ value: NaN, nanEffect: 'isNan' });
    expect(histogramQuantile(0.4, h).nanEffect).toBe('isSkewed');
    expect(histogramFraction(-Infinity, Infinity, h)).toEqual({ value: 0.8, nanEffect: 'isSkewed' });
  });

  test('variance', () => {
    expect(histogramVariance(histogram('schema:-53 count:4 sum:8 custom_values:[0 2 4] buckets:[0 2 2]'))).toBe(1);
    expect(histogramVariance(histogram('count:4 sum:0 z_bucket:4 z_bucket_w:5'))).toBe(0);
  });
});

describe('trim', () => {
  test('keeps the share that the fraction tells, on both sides', () => {
    const limits = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.double({ min: -20, max: 20, noNaN: true }));
    fc.assert(
      fc.property(exponentialArb, limits, (h, limit) => {
        fc.pre(h.count > 0);
        const below = trimHistogram(h, limit, true);
        const above = trimHistogram(h, limit, false);
        expect(below.count + above.count).toBeCloseTo(h.count, 6);
        // The zero bucket is cut at 0 where a side has no buckets, or, in a trim, only empty ones.
        const hasEmptySide = (buckets: Buckets): boolean => buckets.counts.length > 0 && !buckets.counts.some(Boolean);
        if (hasEmptySide(h.positive) || hasEmptySide(h.negative)) return;
        expect(below.count / h.count).toBeCloseTo(histogramFraction(-Infinity, limit, h).value, 6);
      }),
      RUNS,
    );
  });

  test('changes nothing where nothing is cut off', () => {
    const h = histogram('count:3 sum:77 buckets:[1 2]');
    expect(trimHistogram(h, 2, true)).toBe(h);
    expect(trimHistogram(h, -1, false)).toBe(h);
  });

  test.each([
    ['schema:-53 count:6 sum:9 custom_values:[2 4] buckets:[2 2 2]', 1, true, '{count:1, sum:0.5, [-Inf,2]:1}'],
    [
      'schema:-53 count:6 sum:9 custom_values:[2 4] buckets:[2 2 2]',
      3,
      true,
      '{count:3, sum:4.5, [-Inf,2]:2, (2,4]:1}',
    ],
    ['schema:-53 count:6 sum:9 custom_values:[2 4] buckets:[2 2 2]', 5, false, '{count:2, sum:10, (4,+Inf]:2}'],
    ['schema:-53 count:2 custom_values:[-2] buckets:[2]', -3, true, '{count:2, sum:0, [-Inf,-2]:2}'],
    ['count:2 buckets:[0 2]', NaN, true, '{count:0, sum:0}'],
    ['count:2 z_bucket:2 z_bucket_w:1', 0.5, false, '{count:0.5, sum:0.375, [-1,1]:0.5}'],
  ])('%s at %d, below: %s', (items, limit, keepsBelow, expected) => {
    expect(formatHistogram(trimHistogram(histogram(items), limit, keepsBelow))).toBe(expected);
  });
});

describe('text', () => {
  test('lists populated buckets with their bounds', () => {
    const h = histogram('count:9 sum:-1.5 z_bucket:1 z_bucket_w:0.1 buckets:[1 0 2] n_buckets:[2 3]');
    expect(formatHistogram(h)).toBe('{count:9, sum:-1.5, [-2,-1):3, [-1,-0.5):2, [-0.1,0.1]:1, (0.5,1]:1, (2,4]:2}');
    expect(formatHistogram(histogram(''))).toBe('{count:0, sum:0}');
  });

  test('notation reads back', () => {
    fc.assert(
      fc.property(anyArb, (h) => {
        const printed = formatHistogramNotation(h);
        const read = histogram(printed.slice(2, -2));
        expect(formatHistogramNotation(read)).toBe(printed);
        expect(read.compact().equals(h.compact())).toBe(true);
      }),
      RUNS,
    );
  });

  test('boundaries as the API numbers them', () => {
    const boundaries = (items: string): number[] => {
      const h = histogram(items);
      const { lowers, uppers } = allBuckets(h);
      return Array.from(lowers, (lower, i) => boundariesOf(h.schema, lower, uppers[i]!));
    };
    expect(boundaries('z_bucket:1 z_bucket_w:0.1 buckets:[1] n_buckets:[1]')).toEqual([1, 3, 0]);
    expect(boundaries('z_bucket:1')).toEqual([3]);
    expect(boundaries('schema:-53 custom_values:[1 2] buckets:[1 1 1]')).toEqual([3, 0, 0]);
  });

  test('buckets end at the zero bucket', () => {
    const { lowers, uppers } = allBuckets(histogram('z_bucket:1 z_bucket_w:0.7 buckets:[1] n_buckets:[1]'));
    expect([...lowers]).toEqual([-1, -0.7, 0.7]);
    expect([...uppers]).toEqual([-0.7, 0.7, 1]);
  });
});

test('equality is of bits and layout, not of hints', () => {
  const h = histogram('count:1 sum:NaN buckets:[1]');
  expect(h.equals(histogram('count:1 sum:NaN buckets:[1] counter_reset_hint:gauge'))).toBe(true);
  expect(h.equals(histogram('count:1 sum:NaN buckets:[1 0]'))).toBe(false);
  expect(h.equals(histogram('count:1 sum:0 buckets:[1]'))).toBe(false);
  expect(h.equals(histogram('schema:1 count:1 sum:NaN buckets:[1]'))).toBe(false);
});
