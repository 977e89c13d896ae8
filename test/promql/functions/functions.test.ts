// Every function on a hand-computed case: what goes in, what comes out, NaN and infinity included.
import { describe, expect, test } from 'vitest';
import { FUNCTION_SIGNATURES } from '../../../promql/functions/signatures.ts';
import { instantQuery, rangeQuery, rowsOf, storageFrom } from '../../support/promql.ts';

const MINUTE = 60_000;
const seen = new Set<string>();

/** Values of the result, in order, as numbers. */
async function valuesOf(query: string, lines: readonly string[], timeMs: number): Promise<number[]> {
  for (const [, name] of query.matchAll(/([a-z_0-9]+)\s*\(/g)) seen.add(name!);
  const { result } = await instantQuery(query, storageFrom(...lines), timeMs);
  if (result.type === 'scalar') return [result.value];
  return result.type === 'vector' ? result.series.map(({ values }) => values[0]!) : [];
}

describe('of one sample', () => {
  const cases: readonly (readonly [string, number, number])[] = [
    ['abs', -1.5, 1.5],
    ['ceil', 1.2, 2],
    ['ceil', -1.2, -1],
    ['floor', -1.2, -2],
    ['exp', 0, 1],
    ['sqrt', 9, 3],
    ['sqrt', -1, NaN],
    ['ln', 0, -Infinity],
    ['ln', -1, NaN],
    ['log2', 8, 3],
    ['log10', 1000, 3],
    ['sgn', -7, -1],
    ['sgn', NaN, NaN],
    ['sgn', 0, 0],
    ['round', 2.5, 3],
    ['round', -2.5, -2],
    ['sin', 0, 0],
    ['cos', 0, 1],
    ['tan', 0, 0],
    ['asin', 1, Math.PI / 2],
    ['acos', 1, 0],
    ['acos', 2, NaN],
    ['atan', Infinity, Math.PI / 2],
    ['sinh', 0, 0],
    ['cosh', 0, 1],
    ['tanh', Infinity, 1],
    ['asinh', 0, 0],
    ['acosh', 1, 0],
    ['atanh', 1, Infinity],
    ['deg', Math.PI, 180],
    ['rad', 180, Math.PI],
    ['minute', 3661, 1],
    ['hour', 3661, 1],
    ['hour', -1, 23],
    ['day_of_month', 1709164800, 29],
    ['day_of_week', 1709164800, 4],
    ['day_of_year', 1735603200, 366],
    ['days_in_month', 1709164800, 29],
    ['days_in_month', 4105123200, 28],
    ['month', -1, 12],
    ['year', -1, 1969],
    ['year', 1e13, 318857],
    ['year', NaN, NaN],
  ];

  test.each(cases)('%s(%s) is %s', async (name, x, expected) => {
    const [value] = await valuesOf(`${name}(m)`, [`m ${x}`], 0);
    expect(value).toBe(expected);
  });
});

describe('with scalars', () => {
  test.each([
    ['round(m, 5)', 'm 12', 10],
    ['round(m, 0.1)', 'm 1.25', 1.3],
    ['clamp(m, 0, 10)', 'm 12', 10],
    ['clamp(m, 0, 10)', 'm NaN', NaN],
    ['clamp_min(m, 3)', 'm 2', 3],
    ['clamp_max(m, 1)', 'm 2', 1],
    ['clamp(m, 2, 1)', 'm 2', undefined],
    ['scalar(m)', 'm 4', 4],
    ['vector(7)', 'm 1', 7],
    ['max_of(1, 2)', 'm 1', 2],
    ['min_of(1, 2)', 'm 1', 1],
    ['pi()', 'm 1', Math.PI],
    ['1 ^ NaN', 'm 1', 1],
    ['(-1) ^ Inf', 'm 1', 1],
    ['-2 ^ 2', 'm 1', -4],
    ['-7 % 3', 'm 1', -1],
    ['5 / 0', 'm 1', Infinity],
    ['absent(m)', 'm 1', undefined],
    ['absent(none)', 'm 1', 1],
    ['start_timestamp(m)', 'm 1', undefined],
    ['histogram_count(m)', 'm 1', undefined],
    ['histogram_sum(m)', 'm 1', undefined],
    ['histogram_avg(m)', 'm 1', undefined],
    ['histogram_stddev(m)', 'm 1', undefined],
    ['histogram_stdvar(m)', 'm 1', undefined],
  ])('%s of %s', async (query, line, expected) => {
    const [value] = await valuesOf(query, [line], 0);
    expect(value).toBe(expected);
  });

  test('scalar of none or several is NaN', async () => {
    expect(await valuesOf('scalar(none)', ['m 1'], 0)).toEqual([NaN]);
    expect(await valuesOf('scalar(m)', ['m{a="1"} 1', 'm{a="2"} 1'], 0)).toEqual([NaN]);
  });

  test('time() and timestamp()', async () => {
    expect(await valuesOf('time()', ['m 1'], 90_500)).toEqual([90.5]);
    expect(await valuesOf('timestamp(m)', ['m 1 2'], 90_500)).toEqual([60]);
    expect(await valuesOf('timestamp(-m)', ['m 1 2'], 90_500)).toEqual([90.5]);
    expect(await valuesOf('hour()', ['m 1'], 3_600_000)).toEqual([1]);
  });

  test('start, end, range and step are those of the query', async () => {
    const axis = { startMs: MINUTE, endMs: 3 * MINUTE, stepMs: MINUTE };
    for (const name of ['start', 'end', 'range', 'step']) seen.add(name);
    const { result } = await rangeQuery(
      'start() + 1000 * end() + 1e6 * range() + 1e9 * step()',
      storageFrom('m 1'),
      axis,
    );
    const value = 60 + 180_000 + 120e6 + 60e9;
    expect(rowsOf(result)).toEqual([`{} ${value}@60 ${value}@120 ${value}@180`]);
  });
});

describe('of a window', () => {
  const counter = 'm 0 10 20 5 15 25';
  const gauge = 'm 1 5 NaN 3 2';

  test.each([
    ['increase(m[5m])', counter, 5, (25 - 10 + 20) * (300 / 240)],
    ['irate(m[5m])', 'm 1 2 60', 2, 58 / 60],
    ['irate(m[5m])', 'm 1 9 6', 2, 6 / 60],
    ['idelta(m[5m])', 'm 1 9 6', 2, -3],
    ['delta(m[3m])', 'm 0 1 2 3', 3, 3],
    ['rate(m[5m])', 'm 4', 0, undefined],
    ['resets(m[6m])', counter, 5, 1],
    ['changes(m[5m])', 'm 1 1 NaN NaN 2', 4, 2],
    ['deriv(m[5m])', 'm 0 60 120', 2, 1],
    ['deriv(m[5m])', 'm 7 7 7', 2, 0],
    ['deriv(m[5m])', 'm Inf Inf', 1, NaN],
    ['predict_linear(m[5m], 60)', 'm 0 60 120', 2, 180],
    ['double_exponential_smoothing(m[5m], 0.5, 0.5)', 'm 1 2 3 4', 3, 4],
    ['sum_over_time(m[5m])', 'm 1e100 1 -1e100', 2, 1],
    ['sum_over_time(m[5m])', 'm Inf 1', 1, Infinity],
    ['avg_over_time(m[5m])', 'm 1 2 6', 2, 3],
    ['avg_over_time(m[5m])', 'm 1.7e308 1.7e308', 1, 1.7e308],
    ['min_over_time(m[5m])', gauge, 4, 1],
    ['max_over_time(m[5m])', gauge, 4, 5],
    ['max_over_time(m[5m])', 'm NaN NaN', 1, NaN],
    ['count_over_time(m[5m])', gauge, 4, 5],
    ['count_over_time(m[5m])', 'm 1 stale 3', 2, 2],
    ['present_over_time(m[5m])', gauge, 4, 1],
    ['last_over_time(m[5m])', gauge, 4, 2],
    ['first_over_time(m[5m])', gauge, 4, 1],
    ['stddev_over_time(m[5m])', 'm 2 4 4 4 5', 4, Math.sqrt(0.96)],
    ['stdvar_over_time(m[5m])', 'm 1 3', 1, 1],
    ['quantile_over_time(0.5, m[5m])', 'm 4 1 3', 2, 3],
    ['quantile_over_time(2, m[5m])', 'm 4 1 3', 2, Infinity],
    ['quantile_over_time(0, m[5m])', 'm 4 NaN 3', 2, NaN],
    ['mad_over_time(m[5m])', 'm 4 6 2 1', 3, 1.5],
    ['mad_over_time(m[5m])', 'm 4 NaN', 1, NaN],
    ['ts_of_first_over_time(m[3m])', gauge, 4, 120],
    ['ts_of_last_over_time(m[3m])', gauge, 4, 240],
    ['ts_of_max_over_time(m[5m])', 'm 7 7 3', 2, 60],
    ['ts_of_min_over_time(m[5m])', 'm 7 3 3', 2, 120],
    ['absent_over_time(m[5m])', 'm 1', 4, undefined],
    ['absent_over_time(m[5m])', 'm 1', 5, 1],
  ])('%s of %s at %s min', async (query, line, minutes, expected) => {
    const [value] = await valuesOf(query, [line], minutes * MINUTE);
    if (expected === undefined || Number.isNaN(expected)) expect(value).toBe(expected);
    else expect(value).toBeCloseTo(expected, 9);
  });

  test('windows are open on the left', async () => {
    expect(await valuesOf('count_over_time(m[2m])', ['m 1 2 3'], 2 * MINUTE)).toEqual([2]);
    expect(await valuesOf('count_over_time(m[1m])', ['m 1'], MINUTE)).toEqual([]);
    expect(await valuesOf('count_over_time(m[2m:1m])', ['m 1 2 3'], 2 * MINUTE)).toEqual([2]);
  });

  test('absent takes its labels from equality matchers, each used once', async () => {
    const { result } = await instantQuery('absent(none{a="1",b=~"x",c="2",c="3"})', storageFrom('m 1'), 0);
    expect(rowsOf(result)).toEqual(['{a="1"} 1@0']);
  });
});

describe('of labels', () => {
  const storage = storageFrom('m{a="x-1",b="z"} 1');
  const labelsOf = async (query: string): Promise<string> =>
    rowsOf((await instantQuery(query, storage, 0)).result).join();

  test.each([
    ['label_replace(m, "c", "$2-$1", "a", "(.*)-(.*)")', '{__name__="m", a="x-1", b="z", c="1-x"} 1@0'],
    ['label_replace(m, "c", "${n}$$", "a", "(?P<n>x).*")', '{__name__="m", a="x-1", b="z", c="x$"} 1@0'],
    ['label_replace(m, "b", "$1x", "a", "(.*)")', '{__name__="m", a="x-1"} 1@0'],
    ['label_replace(m, "b", "new", "a", "x")', '{__name__="m", a="x-1", b="z"} 1@0'],
    ['label_replace(m, "b", "none", "nope", "")', '{__name__="m", a="x-1", b="none"} 1@0'],
    ['label_join(m, "c", "/", "a", "nope", "b")', '{__name__="m", a="x-1", b="z", c="x-1//z"} 1@0'],
    ['sort_by_label(m, "a")', '{__name__="m", a="x-1", b="z"} 1@0'],
  ])('%s', async (query, expected) => {
    expect(await labelsOf(query)).toBe(expected);
  });

  test('labels sort in natural order', async () => {
    const many = storageFrom(...['n10', 'n9', 'n1', 'm2', 'n09'].map((name) => `m{i="${name}"} 1`));
    const { result } = await instantQuery('sort_by_label(m, "i")', many, 0);
    expect(rowsOf(result).map((row) => /i="(\w+)"/.exec(row)![1])).toEqual(['m2', 'n1', 'n09', 'n9', 'n10']);
  });

  test('info adds the labels of target_info', async () => {
    const lines = ['m{instance="i",job="j",v="own"} 1', 'target_info{instance="i",job="j",v="other",w="1"} 1'];
    const { result } = await instantQuery('info(m)', storageFrom(...lines), 0);
    expect(rowsOf(result)).toEqual(['{__name__="m", instance="i", job="j", v="own", w="1"} 1@0']);
  });
});

describe('of classic histograms', () => {
  const buckets = ['h{le="0.1"} 10', 'h{le="0.5"} 30', 'h{le="1"} 40', 'h{le="+Inf"} 50'];

  test.each([
    ['histogram_quantile(0.5, h)', 0.4],
    ['histogram_quantile(0.1, h)', 0.05],
    ['histogram_quantile(0.99, h)', 1],
    ['histogram_quantile(-1, h)', -Infinity],
    ['histogram_quantile(NaN, h)', NaN],
    ['histogram_quantile(0.5, h{le!="+Inf"})', NaN],
    ['histogram_fraction(0, 0.5, h)', 0.6],
    ['histogram_fraction(0.1, 0.3, h)', 0.2],
    ['histogram_fraction(0, Inf, h)', 1],
    ['histogram_fraction(2, 1, h)', 0],
  ])('%s', async (query, expected) => {
    const [value] = await valuesOf(query, buckets, 0);
    if (Number.isFinite(expected)) expect(value).toBeCloseTo(expected, 12);
    else expect(value).toBe(expected);
  });

  test('several quantiles at once', async () => {
    const { result } = await instantQuery('histogram_quantiles(h, "q", 0.5, 1)', storageFrom(...buckets), 0);
    expect(rowsOf(result)).toEqual(['{q="0.5"} 0.4@0', '{q="1.0"} 1@0']);
  });

  test('buckets of equal bounds are added', async () => {
    const split = ['h{le="1"} 1', 'h{le="1.0"} 1', 'h{le="+Inf"} 2', 'h{le="Inf"} 2'];
    expect(await valuesOf('histogram_quantile(0.5, h)', split, 0)).toEqual([1]);
  });
});

test('no function was left out', () => {
  const elsewhere = ['sort', 'sort_desc', 'sort_by_label', 'sort_by_label_desc', 'info', 'label_replace', 'label_join'];
  for (const name of [...elsewhere, 'histogram_quantiles']) seen.add(name);
  expect(FUNCTION_SIGNATURES.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
});
