import { describe, expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import type { Matcher } from '../../../model/matcher.ts';
import { SampleBatch, SampleColumns } from '../../../model/sample.ts';
import type { CommitResult, Queryable } from '../../../model/storage.ts';
import type { CommitLog } from '../../../tsdb/head/appender.ts';
import { Head, type HeadOptions } from '../../../tsdb/head/head.ts';
import { openHead } from '../../../tsdb/head/head-querier.ts';
import { CodedError } from '../../../util/errors.ts';

const NOW = 1_700_000_000_000;
const clock = { nowMs: () => NOW, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
const SERIES = Labels.fromObject({ __name__: 'up', job: 'x' });

function createHead(options: Partial<HeadOptions> = {}): Head {
  return new Head({ clock, maxSeries: 0, ...options });
}

function commit(head: Head, rows: readonly (readonly [number, number, number])[]): Promise<CommitResult> {
  const batch = new SampleBatch(4);
  for (const [ref, time, value] of rows) batch.append(ref, time, value);
  return head.commit(batch);
}

function readAll(queryable: Queryable, ...matchers: Matcher[]): Record<string, [number, number][]> {
  const querier = queryable.querier(-Infinity, Infinity);
  const set = querier.select(matchers, { startMs: -Infinity, endMs: Infinity });
  const out = new SampleColumns();
  const found: Record<string, [number, number][]> = {};
  for (let i = 0; i < set.count; i++) {
    set.read(i, -Infinity, Infinity, out);
    found[set.labels(i).toString()] = Array.from({ length: out.count }, (_, row) => [
      out.times[row]!,
      out.values[row]!,
    ]);
  }
  querier.close();
  return found;
}

function readerOf(head: Head): Queryable {
  return openHead(head.share(), head.acquireReaderSlot());
}

/** A log whose writes end when the test says so. */
class ManualLog implements CommitLog {
  readonly writes: { resolve: () => void; reject: (error: Error) => void; series: number[]; rows: number }[] = [];

  append(...[series, batch]: Parameters<CommitLog['append']>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.writes.push({ resolve, reject, series: series.map(({ ref }) => ref), rows: batch.count });
    return promise;
  }
}

describe('admission', () => {
  test('takes newer samples, and repeats of the newest, and says why it refuses others', async () => {
    const head = createHead();
    const ref = head.seriesRef(SERIES);
    expect(await commit(head, [[ref, NOW, 1]])).toEqual({
      storedCount: 1,
      outOfOrderCount: 0,
      duplicateCount: 0,
      outOfBoundsCount: 0,
      firstError: undefined,
    });
    expect(await commit(head, [[ref, NOW, 1]])).toMatchObject({ storedCount: 1, firstError: undefined });
    expect(
      await commit(head, [
        [ref, NOW, 2.5],
        [ref, NOW + 1, 3],
      ]),
    ).toMatchObject({
      storedCount: 1,
      duplicateCount: 1,
      firstError: `duplicate sample for timestamp ${NOW}; overrides not allowed: existing 1, new value 2.5 for series {__name__="up", job="x"}`,
    });
    expect(
      await commit(head, [
        [ref, NOW - 1, 2],
        [ref, NOW + 2, 4],
      ]),
    ).toMatchObject({
      storedCount: 1,
      outOfOrderCount: 1,
      firstError: 'out of order sample for series {__name__="up", job="x"}',
    });
    expect(await commit(head, [[ref, NOW - 3_600_001, 2]])).toMatchObject({
      outOfBoundsCount: 1,
      firstError: 'out of bounds for series {__name__="up", job="x"}',
    });
    expect(readAll(readerOf(head))).toEqual({
      '{__name__="up", job="x"}': [
        [NOW, 1],
        [NOW + 1, 3],
        [NOW + 2, 4],
      ],
    });
  });

  test('a repeat within one batch and a staleness marker are compared by their bits', async () => {
    const head = createHead();
    const ref = head.seriesRef(SERIES);
    const batch = new SampleBatch();
    batch.appendStale(ref, NOW);
    batch.appendStale(ref, NOW);
    batch.append(ref, NOW, Number.NaN);
    expect(await head.commit(batch)).toMatchObject({ storedCount: 2, duplicateCount: 1 });
    expect(readAll(readerOf(head))).toEqual({ '{__name__="up", job="x"}': [[NOW, Number.NaN]] });
  });

  test('one sample from the future does not shut the others out', async () => {
    const head = createHead();
    const a = head.seriesRef(SERIES);
    const b = head.seriesRef(Labels.fromObject({ __name__: 'b' }));
    await commit(head, [[a, NOW + 1e11, 1]]);
    expect(await commit(head, [[b, NOW, 1]])).toMatchObject({ storedCount: 1 });
    head.raiseMinValidTime(NOW + 10);
    expect(await commit(head, [[b, NOW + 9, 1]])).toMatchObject({ outOfBoundsCount: 1 });
  });

  test('more series than the limit are refused, known ones go on', async () => {
    const head = createHead({ maxSeries: 1 });
    const ref = head.seriesRef(SERIES);
    const text = 'head series limit (1) reached, see --storage.tsdb.max-head-series';
    expect(() => head.seriesRef(Labels.fromObject({ __name__: 'b' }))).toThrow(new CodedError('limit', text));
    expect(head.seriesRef(SERIES)).toBe(ref);
    expect(await commit(head, [[ref, NOW, 1]])).toMatchObject({ storedCount: 1 });
  });
});

describe('the log', () => {
  test('samples are visible when they are logged, in the order of admission', async () => {
    const log = new ManualLog();
    const head = createHead({ commitLog: log });
    const reader = readerOf(head);
    const ref = head.seriesRef(SERIES);
    const first = commit(head, [[ref, NOW, 1]]);
    const second = commit(head, [[ref, NOW + 1, 2]]);
    expect(log.writes.map(({ series }) => series)).toEqual([[ref], []]);
    log.writes[1]!.resolve();
    await Promise.resolve();
    expect(readAll(reader)).toEqual({});
    log.writes[0]!.resolve();
    expect(await first).toMatchObject({ storedCount: 1 });
    expect(await second).toMatchObject({ storedCount: 1 });
    expect(readAll(reader)).toEqual({
      '{__name__="up", job="x"}': [
        [NOW, 1],
        [NOW + 1, 2],
      ],
    });
  });

  test('a failed write takes the later commits along, and the series go on from the last published sample', async () => {
    const log = new ManualLog();
    const head = createHead({ commitLog: log });
    const ref = head.seriesRef(SERIES);
    const other = head.seriesRef(Labels.fromObject({ __name__: 'b' }));
    const good = commit(head, [[ref, NOW, 1]]);
    log.writes[0]!.resolve();
    await good;
    const failing = commit(head, [
      [ref, NOW + 5, 2],
      [other, NOW, 1],
    ]);
    const repeat = commit(head, [[ref, NOW + 5, 2]]);
    const later = commit(head, [[ref, NOW + 6, 3]]);
    const settled = Promise.allSettled([failing, repeat, later]);
    log.writes[1]!.reject(new Error('no space'));
    log.writes[2]!.resolve();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(readAll(readerOf(head))).toEqual({ '{__name__="up", job="x"}': [[NOW, 1]] });
    const again = commit(head, [
      [ref, NOW + 1, 9],
      [other, NOW - 1, 1],
    ]);
    log.writes.at(-1)!.resolve();
    expect(await again).toMatchObject({ storedCount: 2 });
  });

  test('new series of a failed commit are logged with the next one', async () => {
    const log = new ManualLog();
    const head = createHead({ commitLog: log });
    const ref = head.seriesRef(SERIES);
    const failing = commit(head, [[ref, NOW, 1]]);
    log.writes[0]!.reject(new Error('no space'));
    await expect(failing).rejects.toThrow('no space');
    void commit(head, [[ref, NOW, 1]]);
    expect(log.writes[1]).toMatchObject({ series: [ref], rows: 1 });
  });

  test('rows are encoded before commit returns, so the batch may be reused at once', async () => {
    const log = new ManualLog();
    const head = createHead({ commitLog: log });
    const ref = head.seriesRef(SERIES);
    const batch = new SampleBatch();
    batch.append(ref, NOW, 1);
    const done = head.commit(batch);
    batch.clear();
    batch.append(ref, NOW + 7, 99);
    log.writes[0]!.resolve();
    await done;
    expect(readAll(readerOf(head))).toEqual({ '{__name__="up", job="x"}': [[NOW, 1]] });
  });
});

describe('chunks', () => {
  test('are cut where Prometheus cuts them', async () => {
    // 15 s apart: 120 samples a chunk by prediction from the 30th; and never across a 2 h boundary.
    const head = createHead();
    const ref = head.seriesRef(SERIES);
    const start = Math.floor(NOW / 7_200_000) * 7_200_000 + 7_200_000;
    const chunkCounts: number[] = [];
    for (let i = 0; i < 500; i++) {
      await commit(head, [[ref, start + i * 15_000, i]]);
      if (head.status().chunkCount > chunkCounts.length) chunkCounts.push(i);
    }
    // (boundary - start) / ((29 * 15 s + 1 ms) * 4) = 4.13, so four equal chunks of 30 minutes.
    expect(chunkCounts).toEqual([0, 120, 240, 360, 480]);
  });

  test('a sparse series has one chunk per range, a fast one is cut at twice the samples', async () => {
    const head = createHead();
    const sparse = head.seriesRef(SERIES);
    const start = Math.floor(NOW / 7_200_000) * 7_200_000 + 7_200_000;
    for (let i = 0; i < 10; i++) await commit(head, [[sparse, start + i * 3_600_000, i]]);
    expect(head.status().chunkCount).toBe(5);
    // The 30th sample comes late, so the prediction is wrong by far; then one sample a millisecond.
    const fast = head.seriesRef(Labels.fromObject({ __name__: 'fast' }));
    for (let i = 0; i < 30; i++) await commit(head, [[fast, start + 36_000_000 + i * 60_000, 1]]);
    for (let i = 0; i < 300; i++) await commit(head, [[fast, start + 36_000_000 + 1_740_001 + i, 1]]);
    expect(head.status().chunkCount).toBe(7);
  });

  test('series of many chunks are read back at any window', async () => {
    const head = createHead({ samplesPerChunk: 16 });
    const refs = [head.seriesRef(SERIES), head.seriesRef(Labels.fromObject({ __name__: 'b' }))];
    const batch = new SampleBatch();
    for (let i = 0; i < 1000; i++) {
      for (const ref of refs) batch.append(ref, NOW + i * 10, Math.sin(i) * ref);
    }
    await head.commit(batch);
    const querier = readerOf(head).querier(-Infinity, Infinity);
    const set = querier.select([], { startMs: -Infinity, endMs: Infinity });
    const out = new SampleColumns(4);
    for (let i = 0; i < 200; i++) {
      const [from, to] = [(i * 37) % 1000, ((i * 37) % 1000) + ((i * 91) % 400)];
      const start = NOW + from * 10 - (i % 2);
      set.read(1, start, NOW + to * 10 + (i % 3), out);
      const ref = refs[set.labels(1).metricName === 'up' ? 0 : 1]!;
      expect(out.count).toBe(Math.min(to, 999) - from + 1);
      expect(out.times[0]).toBe(NOW + from * 10);
      expect(out.values[out.count - 1]).toBe(Math.sin(Math.min(to, 999)) * ref);
    }
    querier.close();
  });

  test('a series outside the hinted window is not among the selected', async () => {
    const head = createHead({ samplesPerChunk: 8 });
    const old = head.seriesRef(SERIES);
    const recent = head.seriesRef(Labels.fromObject({ __name__: 'b' }));
    for (let i = 0; i < 40; i++) await commit(head, [[old, NOW + i, i]]);
    for (let i = 0; i < 40; i++) await commit(head, [[recent, NOW + 1000 + i, i]]);
    const querier = readerOf(head).querier(-Infinity, Infinity);
    const names = (startMs: number, endMs: number): string[] => {
      const set = querier.select([], { startMs, endMs });
      return Array.from({ length: set.count }, (_, i) => set.labels(i).metricName);
    };
    expect(names(NOW, NOW + 500)).toEqual(['up']);
    expect(names(NOW + 500, NOW + 999)).toEqual([]);
    expect(names(NOW + 500, NOW + 1000)).toEqual(['b']);
    expect(names(NOW + 39, NOW + 2000)).toEqual(['b', 'up']);
    querier.close();
  });
});

describe('the index', () => {
  test('labels of every shape come back, sorted by their bytes', async () => {
    const head = createHead();
    const sets = [
      {},
      { __name__: 'a' },
      { __name__: 'a', 'mit äöü': '值', 𝒳: '\u0000' },
      { __name__: 'a', '\uffff': '1' },
      { __name__: 'ab', x: 'y'.repeat(100_000) },
    ].map((object) => Labels.fromObject(object));
    const batch = new SampleBatch();
    for (const labels of sets) batch.append(head.seriesRef(labels), NOW, 1);
    await head.commit(batch);
    expect(sets.map((labels) => head.seriesRef(labels))).toEqual([1, 2, 3, 4, 5]);
    const set = readerOf(head).querier(-Infinity, Infinity).select([], { startMs: NOW, endMs: NOW });
    const found = Array.from({ length: set.count }, (_, i) => set.labels(i));
    expect(found.map((labels) => labels.flat)).toEqual(
      [...sets].sort((a, b) => Labels.compare(a, b)).map((labels) => labels.flat),
    );
  });

  test('its longest lists are counted as Prometheus counts them', () => {
    const head = createHead();
    for (let i = 0; i < 12; i++) {
      head.seriesRef(Labels.fromObject({ __name__: i < 8 ? 'many' : 'few', job: 'node', instance: `host-${i}` }));
    }
    expect(openHead(head.share(), head.acquireReaderSlot()).stats(2)).toEqual({
      pairCount: 15,
      seriesCountByMetricName: [
        { name: 'many', value: 8 },
        { name: 'few', value: 4 },
      ],
      labelValueCountByLabelName: [
        { name: 'instance', value: 12 },
        { name: '__name__', value: 2 },
      ],
      memoryInBytesByLabelName: [
        { name: 'instance', value: 74 },
        { name: 'job', value: 48 },
      ],
      seriesCountByLabelValuePair: [
        { name: 'job=node', value: 12 },
        { name: '__name__=many', value: 8 },
      ],
    });
    expect(head.status()).toMatchObject({ seriesCount: 12, pairCount: 15, minTime: undefined, chunkCount: 0 });
  });
});
