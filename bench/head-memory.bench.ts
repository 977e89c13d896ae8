// The head at 200 k series with 10 labels: creation, commits, memory per series at 50 samples and at 540, and reading.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Labels } from '../model/labels.ts';
import { Matcher } from '../model/matcher.ts';
import { SampleBatch, SampleColumns } from '../model/sample.ts';
import { Head } from '../tsdb/head/head.ts';
import { openHead, type HeadReader } from '../tsdb/head/head-querier.ts';
import type { BenchResult } from './harness.ts';

const SERIES = 200_000;
const SERIES_PER_TARGET = 1000;
const START_MS = 1_700_000_000_000;
const STEP_MS = 15_000;
const clock = { nowMs: () => START_MS * 2, monotonicMs: () => performance.now(), setTimer: () => ({ cancel() {} }) };

/** Resident bytes that are not files: shared memory included. */
async function residentBytes(): Promise<number> {
  // Twice, with a pause: V8 gives pages back in the background.
  for (let i = 0; i < 2; i++) {
    (globalThis as { gc?: () => void }).gc?.();
    await sleep(300);
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return (kib('RssAnon') + kib('RssShmem')) * 1024;
}

function labelsOf(index: number): Labels {
  const target = Math.floor(index / SERIES_PER_TARGET);
  return Labels.fromObject({
    __name__: `metric_${index % 100}_total`,
    instance: `10.0.${target >> 8}.${target & 255}:9100`,
    job: `job-${target % 10}`,
    cluster: 'production-eu-west-1',
    namespace: `namespace-${target % 20}`,
    pod: `application-server-${target}-7d9f8b6c5`,
    container: 'application',
    method: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD'][index % 5]!,
    code: ['200', '404', '500'][index % 3]!,
    path: `/api/v1/resource/${Math.floor((index % SERIES_PER_TARGET) / 100)}`,
    shard: `s${Math.floor(index / 100) % 10}`,
  });
}

interface Progress {
  readonly head: Head;
  readonly batches: readonly SampleBatch[];
  readonly values: Float64Array;
  scrapes: number;
}

/** One scrape of every target: counters of different speeds, and every third series a gauge that seldom moves. */
async function scrapeAll(progress: Progress): Promise<number> {
  const { head, batches, values } = progress;
  const now = START_MS + progress.scrapes * STEP_MS;
  let ref = 1;
  let ns = 0;
  for (const batch of batches) {
    batch.clear();
    for (let i = 0; i < SERIES_PER_TARGET; i++, ref++) {
      const kind = ref % 3;
      if (kind === 0) values[ref]! += (ref * 31 + progress.scrapes) % 100;
      else if (kind === 1) values[ref] = (ref % 17) + ((progress.scrapes * ref) % 8 === 0 ? progress.scrapes : 0);
      batch.append(ref, now + (ref % 7), values[ref]!);
    }
    const started = performance.now();
    await head.commit(batch);
    ns += (performance.now() - started) * 1e6;
  }
  progress.scrapes++;
  return ns / SERIES;
}

export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  const all: Labels[] = [];
  for (let i = 0; i < SERIES; i++) all.push(labelsOf(i));
  const empty = await residentBytes();
  const head = new Head({ clock, maxSeries: 0 });
  const started = performance.now();
  for (const labels of all) head.seriesRef(labels);
  const created = ((performance.now() - started) * 1e6) / SERIES;
  results.push({ name: 'new series, 11 labels', value: created, unit: 'ns', note: 'prototype 1,100' });
  const again = performance.now();
  for (const labels of all) head.seriesRef(labels);
  results.push({ name: 'known series by labels', value: ((performance.now() - again) * 1e6) / SERIES, unit: 'ns' });
  results.push({ name: 'memory, no samples', value: ((await residentBytes()) - empty) / SERIES, unit: 'B/series' });

  const batches = Array.from({ length: SERIES / SERIES_PER_TARGET }, () => new SampleBatch(SERIES_PER_TARGET));
  const progress = { head, batches, values: new Float64Array(SERIES + 1), scrapes: 0 };
  let best = Infinity;
  for (let i = 0; i < 50; i++) best = Math.min(best, await scrapeAll(progress));
  const per50 = ((await residentBytes()) - empty) / SERIES;
  results.push({ name: 'commit, batches of 1,000 (append and publish)', value: best, unit: 'ns/sample' });
  results.push({
    name: 'memory at 50 samples',
    value: per50,
    unit: 'B/series',
    note: 'Prometheus 2,000; must 800, aim 600',
  });
  const reader = openHead(head.share(), head.acquireReaderSlot());
  results.push(...benchSelect(reader));
  for (let i = 50; i < 540; i++) best = Math.min(best, await scrapeAll(progress));
  results.push({
    name: 'memory at 540 samples',
    value: ((await residentBytes()) - empty) / SERIES,
    unit: 'B/series',
    note: 'prototype 1,430-1,580',
  });
  results.push(...benchRead(reader));
  return results;
}

function benchSelect(reader: HeadReader): BenchResult[] {
  const matchers = [new Matcher('=', 'job', 'job-3')];
  const time = (): { ms: number; count: number } => {
    const querier = reader.querier(0, 1e15);
    const started = performance.now();
    const { count } = querier.select(matchers, { startMs: 0, endMs: 1e15 });
    const ms = performance.now() - started;
    querier.close();
    return { ms, count };
  };
  const first = time();
  let again = Infinity;
  for (let i = 0; i < 10; i++) again = Math.min(again, time().ms);
  return [
    { name: `select ${first.count} series, first time`, value: (first.ms * 1e6) / first.count, unit: 'ns/series' },
    { name: `select ${first.count} series, again`, value: (again * 1e6) / first.count, unit: 'ns/series' },
  ];
}

function benchRead(reader: HeadReader): BenchResult[] {
  const querier = reader.querier(0, 1e15);
  const set = querier.select([new Matcher('=', 'job', 'job-3')], { startMs: 0, endMs: 1e15 });
  const out = new SampleColumns();
  let best = Infinity;
  for (let run = 0; run < 5; run++) {
    let samples = 0;
    const started = performance.now();
    for (let i = 0; i < set.count; i++) {
      set.read(i, 0, 1e15, out);
      samples += out.count;
    }
    best = Math.min(best, ((performance.now() - started) * 1e6) / samples);
  }
  querier.close();
  return [{ name: 'read whole series through a snapshot', value: best, unit: 'ns/sample' }];
}
