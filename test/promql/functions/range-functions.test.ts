import { describe, expect, test } from 'vitest';
import { instantQuery, rowsOf, storageFrom } from '../../support/promql.ts';

const MINUTE = 60_000;

/** Values of the result, in order. */
async function valuesOf(query: string, lines: readonly string[], timeMs: number): Promise<number[]> {
  const { result } = await instantQuery(query, storageFrom(...lines), timeMs);
  if (result.type === 'scalar') return [result.value];
  return result.type === 'vector' ? result.series.map(({ values }) => values[0]!) : [];
}

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
