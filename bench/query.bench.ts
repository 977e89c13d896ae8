// The query engine over samples in memory: what evaluation costs without chunks to decode. 5,000 series x 6 h at 15 s,
// step 60 s, as in ARCHITECTURE section 5.
import { performance } from 'node:perf_hooks';
import { Labels } from '../model/labels.ts';
import type { Matcher } from '../model/matcher.ts';
import type { SampleColumns } from '../model/sample.ts';
import type { Querier, Queryable, SeriesSet } from '../model/storage.ts';
import { Engine, type QueryControl } from '../promql/engine.ts';
import { DEFAULT_ENGINE_OPTIONS } from '../promql/options.ts';
import { cpuMs, type BenchResult } from './harness.ts';

const SERIES = 5000;
const JOBS = 10;
const INTERVAL_MS = 15_000;
const END_MS = 6 * 3_600_000;
const SAMPLES = END_MS / INTERVAL_MS + 1;
const RUNS = 5;

/** Series that share one time column; values differ by series. Nothing but copying is done to read them. */
class BenchStorage implements Queryable {
  readonly #labels: Labels[] = [];
  readonly #times = new Float64Array(SAMPLES);
  readonly #values: Float64Array[] = [];

  constructor(seriesCount: number, valueAt: (series: number, sample: number, previous: number) => number) {
    for (let i = 0; i < SAMPLES; i++) this.#times[i] = i * INTERVAL_MS;
    for (let s = 0; s < seriesCount; s++) {
      const instance = String(Math.floor(s / JOBS)).padStart(6, '0');
      const job = `job${s % JOBS}`;
      this.#labels.push(Labels.fromObject({ __name__: 'm_total', cluster: 'eu-1', instance, job, zone: 'a' }));
      if (s < VALUE_COLUMNS) this.#values.push(this.#column(s, valueAt));
    }
  }

  #column(series: number, valueAt: (series: number, sample: number, previous: number) => number): Float64Array {
    const values = new Float64Array(SAMPLES);
    for (let i = 0; i < SAMPLES; i++) values[i] = valueAt(series, i, i === 0 ? 0 : values[i - 1]!);
    return values;
  }

  querier(): Querier {
    return {
      select: (matchers) => this.#select(matchers),
      labelNames: () => [],
      labelValues: () => [],
      close: () => undefined,
    };
  }

  #select(matchers: readonly Matcher[]): SeriesSet {
    const found: number[] = [];
    for (let s = 0; s < this.#labels.length; s++) {
      if (matchers.every((matcher) => matcher.matches(this.#labels[s]!.get(matcher.name)))) found.push(s);
    }
    return {
      count: found.length,
      labels: (index) => this.#labels[found[index]!]!,
      read: (index, startMs, endMs, out) => this.#read(found[index]!, startMs, endMs, out),
    };
  }

  #read(series: number, startMs: number, endMs: number, out: SampleColumns): void {
    const from = Math.max(0, Math.ceil(startMs / INTERVAL_MS));
    const to = Math.min(SAMPLES, Math.floor(endMs / INTERVAL_MS) + 1);
    out.clear();
    if (to <= from) return;
    out.reserve(to - from);
    out.times.set(this.#times.subarray(from, to));
    out.values.set(this.#values[series % VALUE_COLUMNS]!.subarray(from, to));
    out.stale.fill(0, 0, to - from);
    out.count = to - from;
  }
}

/** Distinct value columns; more series than that share them, to keep the bench small. */
const VALUE_COLUMNS = 500;

const control: QueryControl = {
  isCanceled: () => false,
  now: () => performance.now(),
  yieldTurn: () => new Promise((resolve) => void setImmediate(resolve)),
};

const engine = new Engine(DEFAULT_ENGINE_OPTIONS);

async function rangeMs(storage: Queryable, query: string): Promise<number> {
  const request = { query, startMs: 0, endMs: END_MS, stepMs: 60_000 };
  return best(async () => void (await engine.range(request, storage, control)));
}

async function instantMs(storage: Queryable, query: string): Promise<number> {
  return best(async () => void (await engine.instant({ query, timeMs: END_MS }, storage, control)));
}

async function best(work: () => Promise<void>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) least = Math.min(least, await cpuMs(work));
  return least;
}

const RANGE_QUERIES: readonly (readonly [string, string])[] = [
  ['sum by (job) (rate(m_total[5m]))', 'prototype: 51 without decoding, 119 with; Prometheus 3.5.3: 507 with'],
  ['sum by (job) (avg_over_time(m_total[5m]))', 'prototype: 155 without decoding'],
  ['sum by (job) (max_over_time(m_total[5m]))', 'prototype: 39 without decoding'],
  ['sum(m_total)', ''],
  ['topk(5, m_total)', ''],
  ['quantile by (job) (0.9, m_total)', ''],
  ['m_total / on (instance, job) m_total', ''],
  ['sum by (job) (rate(m_total[5m])) / sum by (job) (m_total)', ''],
  ['max_over_time(sum by (job) (rate(m_total[1m]))[30m:1m])', ''],
  ['sum(m_total > 100)', ''],
];

const INSTANT_QUERIES = [
  'count(m_total)',
  'sum by (job) (m_total)',
  'sum(rate(m_total[5m]))',
  'topk(10, m_total)',
  'm_total',
  'm_total / on (instance, job) m_total',
];

export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  const integers = new BenchStorage(SERIES, (series, sample, previous) => previous + ((series * 31 + sample * 7) % 50));
  for (const [query, note] of RANGE_QUERIES) {
    const value = await rangeMs(integers, query);
    results.push({
      name: `query range 5,000 series: ${query}`,
      value,
      unit: 'ms cpu',
      ...(note === '' ? {} : { note }),
    });
  }
  const fractions = new BenchStorage(SERIES, (series, sample) => Math.sin(sample / (7 + (series % 5))) * 1e3);
  const value = await rangeMs(fractions, 'sum by (job) (rate(m_total[5m]))');
  results.push({ name: 'query range 5,000 gauges of fractions: sum by (job) (rate)', value, unit: 'ms cpu' });
  const many = new BenchStorage(50_000, (series, sample) => series + sample);
  for (const query of INSTANT_QUERIES) {
    results.push({
      name: `query instant 50,000 series: ${query}`,
      value: await instantMs(many, query),
      unit: 'ms cpu',
    });
  }
  return results;
}
