// The pool with real threads over a real head.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import { SampleBatch } from '../../../model/sample.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../../../promql/options.ts';
import type { QueryJob } from '../../../server/workers/messages.ts';
import { QueryPool, type JobAnswer, type QueryObserver } from '../../../server/workers/query-pool.ts';
import { Head } from '../../../tsdb/head/head.ts';
import type { Log } from '../../../util/host.ts';

const never = new AbortController().signal;
const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

class Counts implements QueryObserver {
  finishedCount = 0;
  replacedCount = 0;
  readonly reasons: string[] = [];
  finished(): void {
    this.finishedCount++;
  }
  rejected(reason: string): void {
    this.reasons.push(reason);
  }
  canceled(reason: string): void {
    this.reasons.push(reason);
  }
  workerReplaced(): void {
    this.replacedCount++;
  }
}

function instant(query: string): Extract<QueryJob, { type: 'instant' }> {
  const rest = { lookbackDeltaMs: undefined, limit: 0, withStats: false, warnings: [] };
  return { type: 'instant', query, timeMs: 1_000_000, ...rest };
}

function parsed(answer: JobAnswer): unknown {
  return JSON.parse(Buffer.from(answer.bytes).toString());
}

describe('query pool', () => {
  const head = new Head({ clock: { nowMs: () => 1_000_000 } as never, maxSeries: 0 });
  const slotsInUse = new Set<number>();
  const counts = new Counts();
  let pool: QueryPool;

  beforeAll(async () => {
    const batch = new SampleBatch();
    for (let i = 0; i < 10; i++) {
      batch.append(head.seriesRef(Labels.fromObject({ __name__: 'm', i: String(i) })), 999_000, i);
    }
    await head.commit(batch);
    pool = new QueryPool({
      workerCount: 2,
      maxConcurrency: 2,
      timeoutMs: 60_000,
      limits: { heapMb: 24, youngMb: 8, stackMb: 16 },
      setup: { engine: DEFAULT_ENGINE_OPTIONS, responseBytesMax: 1e6 },
      log: silent,
      observer: counts,
    });
    pool.start();
    pool.open({
      share: () => head.share(),
      acquireReaderSlot: () => {
        const slot = head.acquireReaderSlot();
        slotsInUse.add(slot);
        return slot;
      },
      releaseReaderSlot: (slot) => {
        slotsInUse.delete(slot);
        head.releaseReaderSlot(slot);
      },
    });
  });

  afterAll(() => pool.close(0));

  const run = (job: QueryJob): Promise<JobAnswer> =>
    pool.run(job, { timeoutMs: undefined, gzip: false, signal: never });

  test('answers over the shared head', async () => {
    expect(parsed(await run(instant('sum(m)')))).toMatchObject({ data: { result: [{ value: [1000, '45'] }] } });
    const bad = await run(instant('sum('));
    expect(bad.status).toBe(400);
    const selector = { matches: ['m{i=~"[12]"}'], startMs: 0, endMs: 2_000_000, limit: 0 };
    expect(parsed(await run({ type: 'label-values', name: 'i', ...selector }))).toMatchObject({ data: ['1', '2'] });
    expect(parsed(await run({ type: 'series', ...selector, limit: 1 }))).toEqual({
      status: 'success',
      data: [{ __name__: 'm', i: '1' }],
      warnings: ['results truncated due to limit'],
    });
  });

  test('serves more queries than may run at once', async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => run(instant('count(m)'))));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(pool.figures).toEqual({ running: 0, queued: 0 });
  });

  test('stops a query whose client is gone', async () => {
    const gone = new AbortController();
    const job: QueryJob = {
      ...instant('quantile_over_time(0.5, sum(m)[1d:1s])'),
      type: 'range',
      startMs: 0,
      endMs: 10_000_000,
      stepMs: 1000,
    };
    const answer = pool.run(job, { timeoutMs: undefined, gzip: false, signal: gone.signal });
    setTimeout(() => gone.abort(), 30);
    expect(parsed(await answer)).toMatchObject({ errorType: 'canceled' });
    expect(counts.reasons).toContain('client');
    expect(counts.replacedCount).toBe(0);
  });

  test('replaces a thread that runs out of memory, and fails only its queries', async () => {
    // The new label strings of so many series do not fit into 24 MB of heap.
    const batch = new SampleBatch(80_000);
    for (let i = 0; i < 80_000; i++) {
      const labels = { __name__: 'many', a: `some rather long value of a label ${i}`, b: `and another one ${i}` };
      batch.append(head.seriesRef(Labels.fromObject(labels)), 999_000, i);
    }
    await head.commit(batch);
    const others = [...slotsInUse];
    const job = instant('label_replace(many, "c", "$1 and so on", "a", "(.*)")');
    await expect(run(job)).rejects.toMatchObject({ code: 'internal' });
    await expect.poll(() => counts.replacedCount).toBe(1);
    expect(parsed(await run(instant('sum(m)')))).toMatchObject({ status: 'success' });
    await expect.poll(() => slotsInUse.size).toBe(others.length);
    expect(parsed(await run(instant('count(m)')))).toMatchObject({ data: { result: [{ value: [1000, '10'] }] } });
  }, 30_000);
});
