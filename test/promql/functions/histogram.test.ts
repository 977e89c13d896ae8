import { describe, expect, test } from 'vitest';
import { instantQuery, rowsOf, storageFrom } from '../../support/promql.ts';

/** Values of the result, in order. */
async function valuesOf(query: string, lines: readonly string[], timeMs: number): Promise<number[]> {
  const { result } = await instantQuery(query, storageFrom(...lines), timeMs);
  if (result.type === 'scalar') return [result.value];
  return result.type === 'vector' ? result.series.map(({ values }) => values[0]!) : [];
}

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
