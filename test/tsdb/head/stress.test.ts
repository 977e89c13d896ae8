import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import { SampleBatch } from '../../../model/sample.ts';
import { Head } from '../../../tsdb/head/head.ts';
import { START_MS, STEP_MS, valueAt, type StressReport, type StressSetup } from './stress-model.ts';

const isLong = process.env['NARTHEX_LONG'] !== undefined;
const DURATION_MS = isLong ? 120_000 : 4_000;
const COMMITS_MAX = isLong ? 60_000 : 5_000;
const SERIES_MAX = isLong ? 4000 : 1200;
const READERS = 4;
const SEED = Number(process.env['NARTHEX_SEED'] ?? 1);
const clock = { nowMs: () => START_MS, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };

// One writer and four reading threads. Every commit gives all series one value, new series join, chunks are cut every
// few samples, slots move and are reused; every reader checks that its snapshot ends at one commit and has every sample.
test(
  `readers see whole commits and every sample promised (NARTHEX_SEED=${SEED})`,
  { timeout: DURATION_MS * 4 + 60_000 },
  async () => {
    const head = new Head({ clock, maxSeries: 0, samplesPerChunk: 24 });
    const promised = new SharedArrayBuffer(8);
    const words = new Int32Array(promised, 0, 2);
    const writer = new Writer(head, SEED);
    await writer.commit();
    const slots = Array.from({ length: READERS }, () => head.acquireReaderSlot());
    const workers = slots.map(() => new Worker(new URL('stress.worker.ts', import.meta.url)));
    const reports = workers.map(
      (worker) =>
        new Promise<StressReport>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    );
    workers.forEach((worker, i) => {
      worker.postMessage({ head: head.share(), slot: slots[i]!, seed: SEED * 31 + i, promised } satisfies StressSetup);
    });
    const end = performance.now() + DURATION_MS;
    while (performance.now() < end && writer.commits < COMMITS_MAX) {
      for (let i = 0; i < 5; i++) {
        await writer.commit();
        Atomics.store(words, 0, writer.commits - 1);
      }
      await sleep(1);
    }
    Atomics.store(words, 1, 1);
    const done = await Promise.all(reports);
    await Promise.all(workers.map((worker) => worker.terminate()));
    for (const slot of slots) head.releaseReaderSlot(slot);

    expect(done.flatMap(({ faults }) => faults)).toEqual([]);
    for (const { snapshots, samples } of done) {
      expect(snapshots).toBeGreaterThan(10);
      expect(samples).toBeGreaterThan(10_000);
    }
    // oxlint-disable-next-line no-console -- what a run covered, for the long form
    console.log(
      `stress: ${writer.commits} commits, ${head.status().seriesCount} series, ${head.status().chunkCount} chunks; ` +
        done
          .map((report) => `${report.snapshots} snapshots of ${report.samples} samples, ${report.lost} lost`)
          .join('; '),
    );
  },
);

class Writer {
  commits = 0;
  readonly #head: Head;
  readonly #batch = new SampleBatch();
  #refs: number[] = [];
  #random: number;

  constructor(head: Head, seed: number) {
    this.#head = head;
    this.#random = seed;
  }

  async commit(): Promise<void> {
    const commit = this.commits;
    if (commit === 0) this.#grow(50);
    else if (this.#refs.length < SERIES_MAX && this.#next() % 4 === 0) this.#grow(this.#next() % 12);
    const batch = this.#batch;
    batch.clear();
    const value = valueAt(commit);
    for (const ref of this.#refs) {
      if (Number.isNaN(value)) batch.appendStale(ref, START_MS + commit * STEP_MS);
      else batch.append(ref, START_MS + commit * STEP_MS, value);
    }
    const { storedCount } = await this.#head.commit(batch);
    if (storedCount !== this.#refs.length) throw new Error(`stored ${storedCount} of ${this.#refs.length}`);
    this.commits = commit + 1;
  }

  #grow(count: number): void {
    for (let i = 0; i < count; i++) {
      const index = this.#refs.length;
      const born = String(this.commits);
      const labels = { __name__: 'm', born, shard: String(index % 4), instance: `i${this.#next()}-${index}` };
      this.#refs.push(this.#head.seriesRef(Labels.fromObject(labels)));
    }
  }

  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random >>> 8;
  }
}
