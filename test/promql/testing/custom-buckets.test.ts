import { expect, test } from 'vitest';
import { formatHistogramNotation } from '../../../model/histogram-text.ts';
import { parseSeriesNotation } from '../../../promql/parse/series-notation.ts';
import { toCustomBuckets } from '../../../promql/testing/custom-buckets.ts';

function converted(...lines: readonly string[]): string[] {
  return toCustomBuckets(lines.map(parseSeriesNotation)).map(({ labels, histograms }) => {
    const points = Array.from(histograms, (each) => (each ? formatHistogramNotation(each) : '_'));
    return `${labels.toString()} ${points.join(' ')}`;
  });
}

test('classic histograms become native ones with custom buckets, one for each time', () => {
  expect(
    converted('a_bucket{le="+Inf",x="1"} 4 _ 9', 'a_bucket{le="1",x="1"} 1 _ 5', 'a_sum{x="1"} 5 _ 12', 'b 1'),
  ).toEqual([
    '{__name__="a", x="1"} {{schema:-53 count:4 sum:5 custom_values:[1] buckets:[1 3]}} _ ' +
      '{{schema:-53 count:9 sum:12 custom_values:[1] buckets:[5 4]}}',
  ]);
});

test('without a +Inf bucket the count says what is above', () => {
  expect(converted('a_bucket{le="1"} 1', 'a_count 3')).toEqual([
    '{__name__="a"} {{schema:-53 count:3 custom_values:[1] buckets:[1 2]}}',
  ]);
});

test('counts that do not belong together are refused', () => {
  expect(() => converted('a_bucket{le="1"} 2', 'a_bucket{le="2"} 1')).toThrow('do not match: 1 < 2');
  expect(() => converted('a_bucket{le="+Inf"} 2', 'a_count 3')).toThrow('do not match: count 3, +Inf bucket 2');
});
