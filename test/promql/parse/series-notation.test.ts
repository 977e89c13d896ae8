import { describe, expect, test } from 'vitest';
import { parseSeriesNotation } from '../../../promql/parse/series-notation.ts';
import { hasConformance, readConformance } from '../../support/promql-cases.ts';

interface SeriesCase {
  readonly input: string;
  readonly metric: Record<string, string>;
  readonly values: unknown[];
  readonly ok?: boolean;
  readonly error?: string;
}

describe.skipIf(!hasConformance)('series notation cases of the reference', () => {
  const file = hasConformance
    ? readConformance<{ series: SeriesCase[]; series_more: SeriesCase[] }>('series-cases.json')
    : { series: [], series_more: [] };
  const cases = [...file.series, ...file.series_more];

  test.each(cases.filter((each) => !each.error))('$input', ({ input, metric, values }) => {
    const series = parseSeriesNotation(input);
    expect(series.labels.toObject()).toEqual(metric);
    expect(series.values.map((value) => (value === 'absent' ? '_' : value))).toEqual(values);
  });

  test.each(cases.filter((each) => each.error))('refuses $input', ({ input, error }) => {
    expect(() => parseSeriesNotation(input)).toThrow(error);
  });
});

test('series notation knows infinities, NaN and staleness markers', () => {
  const { values } = parseSeriesNotation('m Inf -inf NaN stale 1e3x1');
  expect(values).toEqual([Infinity, -Infinity, NaN, 'stale', 1000, 1000]);
});

test('series notation refuses other words', () => {
  expect(() => parseSeriesNotation('m 1 old')).toThrow(
    '1:5: parse error: unexpected identifier "old" in series values, expected number or "stale"',
  );
});

test('series notation refuses runs that would fill memory', () => {
  expect(() => parseSeriesNotation('m 1x100000000')).toThrow('more than 1000000 points');
});
