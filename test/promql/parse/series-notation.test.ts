import { describe, expect, test } from 'vitest';
import { parseSeriesNotation } from '../../../promql/parse/series-notation.ts';
import { formatHistogramNotation } from '../../../model/histogram-text.ts';
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

interface HistogramCase {
  readonly name: string;
  readonly input: string;
  readonly values: readonly { readonly histogram: string }[];
  readonly error: string;
}

describe.skipIf(!hasConformance)('histogram cases of the reference', () => {
  const cases = hasConformance ? readConformance<{ histograms: HistogramCase[] }>('series-cases.json').histograms : [];

  test.each(cases)('$name', ({ input, values, error }) => {
    if (error !== '') {
      // The reference prints the number of its token.
      const message = error.replace('"<Item 57372>" "schema"', '"s"');
      expect(() => parseSeriesNotation(input)).toThrow(message);
      return;
    }
    const series = parseSeriesNotation(input).values.map((value) =>
      typeof value === 'object' ? formatHistogramNotation(value.histogram) : value,
    );
    expect(series).toEqual(values.map((value) => value.histogram));
  });
});

test('series notation tells whether a histogram says something of resets', () => {
  const { values } = parseSeriesNotation('m {{}} {{counter_reset_hint:unknown}} {{}}+{{counter_reset_hint:gauge}}x1');
  expect(values.map((value) => typeof value === 'object' && value.hasHint)).toEqual([false, true, true, true]);
});

test.each([
  ['m {{schema:1.5}}', '1:12: parse error: want a whole number between -2^30 and 2^30, got 1.5'],
  ['m {{schema:9}}', '1:1: parse error: histogram has invalid schema 9'],
  ['m {{sum:}}', '1:9: parse error: unexpected "}" in series values'],
  ['m {{sum:1', '1:10: parse error: unexpected end of input in series values'],
  ['m {{sum:1count:2}}', '1:10: parse error: unexpected "c" in series values'],
  ['m {{buckets:[1,2]}}', '1:15: parse error: unexpected "," in series values'],
  ['m {{}}+1x2', '1:8: parse error: unexpected number "1" in series values'],
  ['m {{}}+{{}}', '1:12: parse error: unexpected end of input in series values'],
  ['m {{}}x100000000', '1:17: parse error: series has more than 1000000 points'],
])('series notation refuses %s', (line, message) => {
  expect(() => parseSeriesNotation(line)).toThrow(message);
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
