import { expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import { Matcher } from '../../../model/matcher.ts';
import { SampleColumns } from '../../../model/sample.ts';
import { MemoryStorage } from '../../../promql/testing/memory-storage.ts';
import { histogram } from '../../support/histograms.ts';

function filled(): MemoryStorage {
  const storage = new MemoryStorage();
  storage.add(Labels.fromObject({ __name__: 'b', job: 'x' }), [1000, 2000, 3000], [1, 2, 3]);
  storage.add(Labels.fromObject({ __name__: 'a', job: 'y' }), [1000, 2000], [5, 0], [false, true]);
  return storage;
}

test('memory storage selects series in label order and reads a window', () => {
  const querier = filled().querier(0, 10_000);
  const set = querier.select([new Matcher('=~', 'job', 'x|y')], { startMs: 0, endMs: 10_000 });
  expect([...Array(set.count).keys()].map((i) => set.labels(i).metricName)).toEqual(['a', 'b']);
  const out = new SampleColumns(1);
  set.read(1, 1500, 3000, out);
  expect([...out.times.subarray(0, out.count)]).toEqual([2000, 3000]);
  expect([...out.values.subarray(0, out.count)]).toEqual([2, 3]);
  set.read(0, 0, 5000, out);
  expect(out.count).toBe(2);
  expect(out.staleCount).toBe(1);
  expect(out.stale[1]).toBe(1);
});

test('memory storage answers names and values, sorted and limited', () => {
  const querier = filled().querier(0, 10_000);
  expect(querier.labelNames([], 0)).toEqual(['__name__', 'job']);
  expect(querier.labelValues('job', [], 1)).toEqual(['x']);
  expect(querier.labelValues('job', [new Matcher('=', '__name__', 'a')], 0)).toEqual(['y']);
});

test('memory storage refuses samples out of order', () => {
  const storage = filled();
  expect(() => storage.add(Labels.fromObject({ __name__: 'b', job: 'x' }), [3000], [1])).toThrow('out of order');
});

test('memory storage leaves out series without samples in the window', () => {
  const set = filled()
    .querier(0, 10_000)
    .select([new Matcher('!=', '__name__', '')], { startMs: 2500, endMs: 3000 });
  expect(set.count).toBe(1);
});

test('memory storage gives histograms the hints that a database would', () => {
  const storage = new MemoryStorage();
  const texts = [
    'count:1 buckets:[1]',
    'count:2 buckets:[2]',
    'count:1 buckets:[1]',
    'schema:-1 count:2 buckets:[2]',
    'schema:-1 count:3 buckets:[3] counter_reset_hint:reset',
    'schema:-1 count:4 buckets:[4] counter_reset_hint:gauge',
    'schema:-1 count:5 buckets:[5]',
  ];
  const times = texts.map((_, i) => i * 1000);
  storage.add(
    Labels.fromObject({ __name__: 'h' }),
    times,
    texts.map(() => NaN),
    undefined,
    texts.map(histogram),
  );
  const set = storage.querier(0, 10_000).select([new Matcher('=', '__name__', 'h')], { startMs: 0, endMs: 10_000 });
  const out = new SampleColumns(1);
  set.read(0, 1000, 9000, out);
  expect(out.histogramCount).toBe(6);
  expect(out.histograms.slice(0, out.count).map((each) => each?.hint)).toEqual([
    'not_reset',
    'unknown',
    'unknown',
    'unknown',
    'gauge',
    'unknown',
  ]);
});

test('memory storage holds floats and histograms in one series', () => {
  const storage = new MemoryStorage();
  const labels = Labels.fromObject({ __name__: 'h' });
  storage.add(labels, [1000], [4]);
  storage.add(labels, [2000], [NaN], undefined, [histogram('count:1')]);
  storage.add(labels, [3000], [5]);
  const set = storage.querier(0, 10_000).select([], { startMs: 0, endMs: 10_000 });
  const out = new SampleColumns(1);
  set.read(0, 0, 9000, out);
  expect(out.histograms.slice(0, 3).map((each) => each?.count)).toEqual([undefined, 1, undefined]);
  expect([out.values[0], out.values[2]]).toEqual([4, 5]);
});
