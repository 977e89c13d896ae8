import { readdir, readFile } from 'node:fs/promises';
import { MetricRegistry, ExpositionWriter, type Histogram } from '../util/metrics.ts';
import type { HttpObserver } from './api/http.ts';
import { COMPATIBLE_VERSION, RUNTIME_VERSION } from './version.ts';
import type { QueryJob, QueryTimingsSeconds } from './workers/messages.ts';
import type { QueryObserver } from './workers/query-pool.ts';

const REQUEST_BOUNDS = [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120];
const SIZE_BOUNDS = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
const QUERY_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];
const DELAY_BOUNDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];
/** How often the main thread looks how late its timer is. */
const DELAY_TICK_MS = 20;

/** The server's own metrics, under Prometheus' names where it has the same thing. */
export class SelfMetrics implements HttpObserver, QueryObserver {
  readonly registry = new MetricRegistry();
  readonly #requests;
  readonly #requestSeconds;
  readonly #responseBytes;
  readonly #refused;
  readonly #querySeconds;
  readonly #queries;
  readonly #querySamples;
  readonly #rejected;
  readonly #canceled;
  readonly #replaced;
  readonly #delay: Histogram;
  #delayTimer: NodeJS.Timeout | undefined;
  #process: ProcessFigures | undefined;

  constructor(startMs: number) {
    const { registry } = this;
    registerBuildInfo(registry);
    registerProcess(registry, startMs, () => this.#process);
    this.#requests = registry.counter('prometheus_http_requests_total', 'Counter of HTTP requests.', [
      'handler',
      'code',
    ]);
    this.#requestSeconds = registry.histogram(
      'prometheus_http_request_duration_seconds',
      'Histogram of latencies for HTTP requests.',
      REQUEST_BOUNDS,
      ['handler'],
    );
    this.#responseBytes = registry.histogram(
      'prometheus_http_response_size_bytes',
      'Histogram of response size for HTTP requests.',
      SIZE_BOUNDS,
      ['handler'],
    );
    this.#refused = registry.counter('http_requests_refused_total', 'Requests that were not served, by reason.', [
      'reason',
    ]);
    this.#querySeconds = registry.histogram(
      'prometheus_engine_query_duration_seconds',
      'Query timings.',
      QUERY_BOUNDS,
      ['slice'],
    );
    this.#queries = registry.counter('narthex_queries_total', 'Queries and look-ups that were answered, by kind.', [
      'kind',
    ]);
    this.#querySamples = registry.counter(
      'prometheus_engine_query_samples_total',
      'The total number of samples loaded by all queries.',
    );
    this.#rejected = registry.counter('query_rejected_total', 'Queries that were not begun, by reason.', ['reason']);
    this.#canceled = registry.counter('query_cancelled_total', 'Queries that were stopped, by reason.', ['reason']);
    this.#replaced = registry.counter('narthex_query_workers_replaced_total', 'Query threads that had to be replaced.');
    this.#delay = registry.histogram(
      'narthex_eventloop_delay_seconds',
      'How late the main thread was for its timer.',
      DELAY_BOUNDS,
    );
  }

  /** Figures of the query pool, read when metrics are written. */
  watchPool(figures: () => { readonly running: number; readonly queued: number }, maxConcurrency: number): void {
    const { registry } = this;
    registry.read(
      'prometheus_engine_queries',
      'gauge',
      'The current number of queries being executed or waiting.',
      () => {
        const { running, queued } = figures();
        return running + queued;
      },
    );
    registry.read('query_queue_length', 'gauge', 'Queries that wait for others to end.', () => figures().queued);
    registry.read(
      'prometheus_engine_queries_concurrent_max',
      'gauge',
      'The max number of concurrent queries.',
      () => maxConcurrency,
    );
  }

  /** Starts to measure the main thread's delay. */
  start(): void {
    let due = performance.now() + DELAY_TICK_MS;
    const tick = (): void => {
      const now = performance.now();
      this.#delay.observe(Math.max(0, now - due) / 1000);
      due = now + DELAY_TICK_MS;
      this.#delayTimer = setTimeout(tick, DELAY_TICK_MS).unref();
    };
    this.#delayTimer = setTimeout(tick, DELAY_TICK_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#delayTimer);
  }

  /** The text of /metrics. */
  async text(): Promise<string> {
    this.#process = await readProcessFigures();
    const out = new ExpositionWriter();
    this.registry.write(out);
    return out.toString();
  }

  answered(handler: string, status: number, seconds: number, bytes: number): void {
    this.#requests.inc(1, handler, String(status));
    this.#requestSeconds.observe(seconds, handler);
    this.#responseBytes.observe(bytes, handler);
  }

  refused(reason: string): void {
    this.#refused.inc(1, reason);
  }

  finished(job: QueryJob, queueSeconds: number, timings: QueryTimingsSeconds | undefined, samples: number): void {
    this.#queries.inc(1, job.type);
    if (!timings) return;
    this.#querySeconds.observe(queueSeconds, 'queue_time');
    this.#querySeconds.observe(timings.preparation, 'prepare_time');
    this.#querySeconds.observe(timings.evaluation, 'inner_eval');
    this.#querySeconds.observe(timings.sort, 'result_sort');
    this.#querySamples.inc(samples);
  }

  rejected(reason: string): void {
    this.#rejected.inc(1, reason);
  }

  canceled(reason: string): void {
    this.#canceled.inc(1, reason);
  }

  workerReplaced(): void {
    this.#replaced.inc();
  }
}

function registerBuildInfo(registry: MetricRegistry): void {
  const labels = ['branch', 'goarch', 'goos', 'goversion', 'revision', 'tags', 'version'];
  const info = registry.gauge(
    'prometheus_build_info',
    "A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus was built, and the goos and goarch for the build.",
    labels,
  );
  info.set(1, '', process.arch, process.platform, RUNTIME_VERSION, '', '', COMPATIBLE_VERSION);
}

function registerProcess(registry: MetricRegistry, startMs: number, figures: () => ProcessFigures | undefined): void {
  registry.read('process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  const gauge = (name: string, help: string, read: (figures: ProcessFigures) => number): void =>
    registry.read(name, 'gauge', help, () => {
      const now = figures();
      return now ? read(now) : 0;
    });
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', (now) => now.residentBytes);
  gauge('process_virtual_memory_bytes', 'Virtual memory size in bytes.', (now) => now.virtualBytes);
  gauge('process_open_fds', 'Number of open file descriptors.', (now) => now.openFiles);
  gauge('process_max_fds', 'Maximum number of open file descriptors.', (now) => now.maxFiles);
  registry.read(
    'process_start_time_seconds',
    'gauge',
    'Start time of the process since unix epoch in seconds.',
    () => startMs / 1000,
  );
  registry.read('nodejs_heap_used_bytes', 'gauge', 'JavaScript heap of the main thread in use.', () => {
    return process.memoryUsage().heapUsed;
  });
}

interface ProcessFigures {
  readonly residentBytes: number;
  readonly virtualBytes: number;
  readonly openFiles: number;
  readonly maxFiles: number;
}

/** From /proc, where there is one. */
async function readProcessFigures(): Promise<ProcessFigures> {
  const [status, limits, files] = await Promise.all([
    readFile('/proc/self/status', 'utf8').catch(() => ''),
    readFile('/proc/self/limits', 'utf8').catch(() => ''),
    readdir('/proc/self/fd').catch(() => []),
  ]);
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return {
    residentBytes: bytes('VmRSS'),
    virtualBytes: bytes('VmSize'),
    openFiles: files.length,
    maxFiles: Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0),
  };
}
