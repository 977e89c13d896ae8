import { describe, expect, test } from 'vitest';
import { FUNCTION_SIGNATURES } from '../../../promql/functions/signatures.ts';
import type { ValueType } from '../../../promql/parse/ast.ts';
import { instantQuery, rangeQuery, rowsOf, storageFrom } from '../../support/promql.ts';

const MINUTE = 60_000;

/** Values of the result, in order. */
async function valuesOf(query: string, lines: readonly string[], timeMs: number): Promise<number[]> {
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
    const { result } = await rangeQuery(
      'start() + 1000 * end() + 1e6 * range() + 1e9 * step()',
      storageFrom('m 1'),
      axis,
    );
    const value = 60 + 180_000 + 120e6 + 60e9;
    expect(rowsOf(result)).toEqual([`{} ${value}@60 ${value}@120 ${value}@180`]);
  });
});

test('every function can be called', async () => {
  const text: Readonly<Record<ValueType, string>> = { scalar: '0.5', vector: 'm', matrix: 'm[2m]', string: '"x"' };
  const storage = storageFrom('m{le="+Inf"} 1 2 3');
  for (const { name, args } of FUNCTION_SIGNATURES) {
    const given = name === 'info' ? ['m', '{x="1"}'] : args.map((type) => text[type]);
    // The last quantile is optional, and twice the same one makes twice the same series.
    if (name === 'histogram_quantiles') given.pop();
    await instantQuery(`${name}(${given.join(', ')})`, storage, 2 * MINUTE);
  }
});
