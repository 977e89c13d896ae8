import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gridTimes, nearestSeries, stack, summarize, thin, toColumn } from '../../ui/graph/columns.ts';
import type { Column } from '../../ui/graph/columns.ts';
import { STROKES, assignSlots } from '../../ui/graph/palette.ts';
import { formatSeries, legendName } from '../../ui/graph/series-name.ts';

describe('a matrix on its grid', () => {
  const grid = { start: 100.5, end: 110.5, step: 2 };
  test('has one row a step', () => {
    expect([...gridTimes(grid)]).toEqual([100.5, 102.5, 104.5, 106.5, 108.5, 110.5]);
    expect(gridTimes({ start: 0, end: 0.3, step: 0.1 }).length).toBe(4);
    expect(gridTimes({ start: 5, end: 5, step: 1 }).length).toBe(1);
  });
  test('keeps gaps, and takes NaN and infinities as such', () => {
    const values = [
      [100.5, '1'],
      [104.5, 'NaN'],
      [106.5, '+Inf'],
      [110.5, '-3e-07'],
    ] as const;
    expect(toColumn({ metric: {}, values }, grid, 6)).toEqual([1, null, null, null, null, -3e-7]);
  });
  test('is typed where it has no gap', () => {
    const values = Array.from({ length: 6 }, (_, i) => [100.5 + 2 * i, String(i)] as const);
    const column = toColumn({ metric: {}, values }, grid, 6);
    expect(column).toBeInstanceOf(Float64Array);
    expect([...column]).toEqual([0, 1, 2, 3, 4, 5]);
  });
  test('leaves out points outside it', () => {
    expect(
      toColumn(
        {
          metric: {},
          values: [
            [90, '1'],
            [200, '2'],
          ],
        },
        grid,
        6,
      ),
    ).toEqual(Array(6).fill(null));
  });
});

test('stacking adds what is there and keeps gaps', () => {
  expect(stack([[1, null, 3], Float64Array.of(10, 20, 30)], 3)).toEqual([
    [1, null, 3],
    [11, 20, 33],
  ]);
});

test('the nearest series is the one drawn nearest, among those shown', () => {
  const columns: Column[] = [Float64Array.of(1, 1), [5, null], Float64Array.of(9, 9)];
  const toY = (value: number): number => 100 - value * 10;
  const all = (): boolean => true;
  expect(nearestSeries(columns, 0, 48, toY, all)).toBe(1);
  expect(nearestSeries(columns, 1, 48, toY, all)).toBe(2);
  expect(nearestSeries(columns, 0, 48, toY, (index) => index !== 1)).toBe(2);
  expect(nearestSeries([[null]], 0, 0, toY, all)).toBe(-1);
});

test('a summary skips gaps', () => {
  expect(summarize([null, 2, 4, null])).toEqual({ min: 2, max: 4, mean: 3, last: 4 });
  expect(summarize([null])).toBeUndefined();
});

test('thinning loses no extreme and no gap that is wider than a bucket', () => {
  const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), fc.integer({ min: 2, max: 9 }), (column, bucket) => {
      const times = Float64Array.from(column, (_, i) => i);
      const [thinTimes, [thinned]] = thin(times, [column], bucket);
      expect(summarize(thinned!)?.min).toBe(summarize(column)?.min);
      expect(summarize(thinned!)?.max).toBe(summarize(column)?.max);
      expect(thinned!.length).toBe(thinTimes.length);
      for (let i = 1; i < thinTimes.length; i++) expect(thinTimes[i]!).toBeGreaterThanOrEqual(thinTimes[i - 1]!);
      for (let i = 0; i + bucket <= column.length; i += bucket) {
        const isEmpty = column.slice(i, i + bucket).every((item) => item === null);
        expect(thinned![(2 * i) / bucket] === null).toBe(isEmpty);
      }
    }),
    { numRuns: 200, seed: 3 },
  );
});

describe('colours', () => {
  test('are told apart among the first ten, and by dashes up to forty', () => {
    const keys = Array.from({ length: STROKES }, (_, i) => `{name="c${i}"}`);
    expect(new Set(assignSlots(keys)).size).toBe(STROKES);
    expect(
      new Set(
        assignSlots(keys)
          .slice(0, 10)
          .map((slot) => slot % 10),
      ).size,
    ).toBe(10);
  });
  test('stay with a series when others come', () => {
    expect(assignSlots(['up{job="a"}', 'up{job="b"}'])[0]).toBe(assignSlots(['up{job="a"}'])[0]);
  });
});

describe('names', () => {
  test('read as PromQL', () => {
    expect(formatSeries({ __name__: 'up', job: 'a"b\n' })).toBe('up{job="a\\"b\\n"}');
    expect(formatSeries({ __name__: 'up' })).toBe('up');
    expect(formatSeries({})).toBe('{}');
    expect(formatSeries({ __name__: 'my.metric', 'a-b': 'x' })).toBe('{"my.metric","a-b"="x"}');
  });
  test('of a legend take their labels', () => {
    expect(legendName({ device: 'sda' }, '{{device}} read')).toBe('sda read');
    expect(legendName({}, '{{ device }} read')).toBe(' read');
  });
});
