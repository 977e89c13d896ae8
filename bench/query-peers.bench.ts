// CPU of range queries, side by side over one history that each server got by remote write: 5,000 series x 6 h at 15 s.
import type { BenchResult } from './harness.ts';
import { historyRequests, postRemoteWrite, type HistoryPlan } from './data/remote-write.ts';
import { availablePeers, ratioNote } from './peers/kinds.ts';
import { startPeer, type Peer, type PeerKind } from './peers/process.ts';

const SERIES = Number(process.env['BENCH_SERIES'] ?? 5000);
const RUNS = 7;
const HOURS = 6;
const STEP_MS = 15_000;

const QUERIES: readonly (readonly [string, string])[] = [
  ['sum by (job) (rate(m[5m])), 6 h at 60 s', 'sum by (job) (rate(bench_history_total[5m]))'],
  ['sum by (job) (avg_over_time(m[5m])), 6 h at 60 s', 'sum by (job) (avg_over_time(bench_history_total[5m]))'],
  ['sum by (job) (max_over_time(m[5m])), 6 h at 60 s', 'sum by (job) (max_over_time(bench_history_total[5m]))'],
  ['topk(5, rate(m{code="500"}[5m])), 6 h at 60 s', 'topk(5, rate(bench_history_total{code="500"}[5m]))'],
  ['sum(m), 6 h at 60 s', 'sum(bench_history_total)'],
];

interface RangeAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: { readonly metric: Record<string, string>; readonly values: [number, string][] }[];
  };
}

async function ask(peer: Peer, query: string, startMs: number, endMs: number): Promise<RangeAnswer> {
  const form = new URLSearchParams({ query, start: String(startMs / 1000), end: String(endMs / 1000), step: '60' });
  if (peer.kind === 'victoria-metrics') form.set('nocache', '1');
  const response = await fetch(`${peer.url}/api/v1/query_range`, { method: 'POST', body: form });
  return (await response.json()) as RangeAnswer;
}

/** Median CPU of one run of the query, ms; /proc counts in 10 ms, so each run repeats it. */
async function costOf(peer: Peer, query: string, startMs: number, endMs: number): Promise<number> {
  for (let i = 0; i < 3; i++) await ask(peer, query, startMs, endMs);
  const costs: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const before = peer.cpuMs();
    for (let repeat = 0; repeat < 3; repeat++) await ask(peer, query, startMs, endMs);
    costs.push((peer.cpuMs() - before) / 3);
  }
  return costs.sort((a, b) => a - b)[RUNS >> 1]!;
}

/** How many points of the answers differ by more than 1e-9, relative. */
function countDifferences(a: RangeAnswer, b: RangeAnswer): number {
  const points = new Map<string, string>();
  for (const { metric, values } of a.data?.result ?? []) {
    for (const [time, value] of values) points.set(`${JSON.stringify(metric)} ${time}`, value);
  }
  let differences = 0;
  for (const { metric, values } of b.data?.result ?? []) {
    for (const [time, value] of values) {
      const key = `${JSON.stringify(metric)} ${time}`;
      const other = Number(points.get(key));
      points.delete(key);
      if (!(Math.abs(other - Number(value)) <= 1e-9 * Math.max(Math.abs(other), 1))) differences++;
    }
  }
  return differences + points.size;
}

export async function run(): Promise<BenchResult[]> {
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const startMs = now - HOURS * 3_600_000;
  const plan: HistoryPlan = {
    metric: 'bench_history_total',
    seriesCount: SERIES,
    jobCount: 10,
    startMs,
    stepMs: STEP_MS,
    sampleCount: (HOURS * 3_600_000) / STEP_MS,
  };
  const peers: Peer[] = [];
  const results: BenchResult[] = [];
  try {
    for (const kind of availablePeers()) peers.push(await startPeer(kind, { remoteWrite: true }));
    const loads = new Map<PeerKind, number>(peers.map((peer) => [peer.kind, -peer.cpuMs()]));
    for (const body of historyRequests(plan))
      for (const peer of peers) await postRemoteWrite(`${peer.url}/api/v1/write`, body);
    for (const peer of peers) {
      const value = ((loads.get(peer.kind)! + peer.cpuMs()) * 1000) / (SERIES * plan.sampleCount);
      loads.set(peer.kind, value);
    }
    for (const [kind, value] of loads) {
      results.push({ name: `remote write CPU, ${kind}`, value, unit: 'us/sample', ...ratioNote(kind, value, loads) });
    }
    for (const [name, query] of QUERIES) {
      const costs = new Map<PeerKind, number>();
      const answers = new Map<PeerKind, RangeAnswer>();
      for (const peer of peers) {
        const answer = await ask(peer, query, startMs + 300_000, now - STEP_MS);
        if (answer.status !== 'success') throw new Error(`${peer.kind}: ${query}: ${answer.error}`);
        answers.set(peer.kind, answer);
        costs.set(peer.kind, await costOf(peer, query, startMs + 300_000, now - STEP_MS));
      }
      const reference = answers.get('prometheus');
      if (reference) {
        const ours = answers.get('narthex');
        const differences = ours ? countDifferences(reference, ours) : 0;
        if (differences > 0) throw new Error(`${query}: ${differences} points differ from Prometheus`);
      }
      for (const [kind, value] of costs) {
        results.push({ name: `${name}, ${kind}`, value, unit: 'CPU ms', ...ratioNote(kind, value, costs) });
      }
    }
    return results;
  } finally {
    for (const peer of peers) await peer.stop();
  }
}
