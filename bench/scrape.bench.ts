// All of scraping but storage, over real sockets: 50 targets of 1,000 series each second from bench/data/target-server.ts,
// the CPU of this process per sample; then 1,000 targets of 200 series.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Labels } from '../model/labels.ts';
import type { SampleBatch, SeriesRef } from '../model/sample.ts';
import type { Appender, CommitResult } from '../model/storage.ts';
import type { Fetcher, TargetClient, TargetRequest } from '../scraper/fetcher.ts';
import { HttpFetcher } from '../scraper/http-client.ts';
import { ScrapeManager } from '../scraper/manager.ts';
import { loadConfig } from '../server/config/load.ts';
import type { Clock } from '../util/host.ts';
import { MetricRegistry } from '../util/metrics.ts';
import { createNodeHost } from '../util/node-host.ts';
import { cpuMs, type BenchResult } from './harness.ts';

const SERVER = fileURLToPath(new URL('data/target-server.ts', import.meta.url));
/** At least this long, and half an interval longer than one, so that every target was seen. */
const SETTLE_MS_MIN = 4000;
const MEASURED_MS = 8000;

/** Counts samples and drops them. */
class CountingAppender implements Appender {
  sampleCount = 0;
  readonly #labels: Labels[] = [];
  readonly #refs = new Map<string, SeriesRef>();

  seriesRef(labels: Labels): SeriesRef {
    const key = labels.key();
    const known = this.#refs.get(key);
    if (known !== undefined) return known;
    const ref = this.#labels.push(labels);
    this.#refs.set(key, ref);
    return ref;
  }

  labelsOf(ref: SeriesRef): Labels {
    return this.#labels[ref - 1]!;
  }

  commit(batch: SampleBatch): Promise<CommitResult> {
    this.sampleCount += batch.count;
    const none = { outOfOrderCount: 0, duplicateCount: 0, outOfBoundsCount: 0, firstError: undefined };
    return Promise.resolve({ storedCount: batch.count, ...none });
  }
}

/** Asks for gzip where, to loopback targets, scraping does not. */
class GzipFetcher implements Fetcher {
  readonly #inner: HttpFetcher;

  constructor(clock: Clock) {
    this.#inner = new HttpFetcher(clock);
  }

  connect(request: TargetRequest): TargetClient {
    return this.#inner.connect({ ...request, headers: [['Accept-Encoding', 'gzip']] });
  }

  close(): void {
    this.#inner.close();
  }
}

async function startServer(series: number): Promise<{ process: ChildProcess; port: number }> {
  const server = spawn(process.execPath, [SERVER, `--series=${series}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => {
    server.stdout.on('data', (chunk: Buffer) => {
      const match = /listening on (\d+)/.exec(chunk.toString());
      if (match) resolve(Number(match[1]));
    });
  });
  return { process: server, port };
}

interface Load {
  readonly targets: number;
  readonly series: number;
  readonly intervalSeconds: number;
  readonly gzip: boolean;
}

/** CPU microseconds per sample, and samples per second. */
async function measure({ targets, series, intervalSeconds, gzip }: Load): Promise<[cpuUs: number, rate: number]> {
  const { process: server, port } = await startServer(series);
  const appender = new CountingAppender();
  const host = createNodeHost({ debug() {}, info() {}, warn: console.warn, error: console.error });
  const manager = new ScrapeManager({
    appender,
    host,
    fetcher: gzip ? new GzipFetcher(host.clock) : new HttpFetcher(host.clock),
    metrics: new MetricRegistry(),
    options: { userAgent: 'Narthex/bench', hostName: 'bench' },
  });
  const jobs = Array.from(
    { length: targets },
    (_, i) =>
      `  - {job_name: t${i}, metrics_path: /t/${i}/metrics, scrape_interval: ${intervalSeconds}s, static_configs: [{targets: ['127.0.0.1:${port}']}]}\n`,
  );
  manager.apply(loadConfig(`scrape_configs:\n${jobs.join('')}`, 'bench'));
  await sleep(Math.max(SETTLE_MS_MIN, intervalSeconds * 1500));
  const before = appender.sampleCount;
  const usedMs = await cpuMs(() => sleep(MEASURED_MS));
  const samples = appender.sampleCount - before;
  await manager.stop();
  server.kill();
  return [(usedMs * 1000) / samples, samples / (MEASURED_MS / 1000)];
}

export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const gzip of [true, false]) {
    const [value, rate] = await measure({ targets: 50, series: 1000, intervalSeconds: 1, gzip });
    const name = `scrape 50 x 1,000 at 1 s, ${gzip ? 'gzip forced' : 'as on loopback'}, no storage`;
    results.push({
      name,
      value,
      unit: 'CPU us/sample',
      note: `${rate.toFixed(0)} samples/s; Prometheus 1.5-1.7 with storage`,
    });
  }
  const [value, rate] = await measure({ targets: 1000, series: 200, intervalSeconds: 8, gzip: false });
  const name = 'scrape 1,000 x 200 at 8 s, no storage';
  results.push({ name, value, unit: 'CPU us/sample', note: `${rate.toFixed(0)} samples/s` });
  return results;
}
