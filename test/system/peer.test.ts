// A real Prometheus beside Narthex on the same targets: the answers must be alike.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPeer, freePort, startPeer, type Peer } from '../../bench/peers/process.ts';
import { spawn, type ChildProcess } from 'node:child_process';
import { ChangingTarget } from '../support/changing-target.ts';

const TICK_MS = 1000;
const TICKS = 25;

const QUERIES: readonly string[] = [
  'diff_requests_total',
  'diff_temperature',
  'diff_requests_total{code=~"4..|5.."}',
  'diff_requests_total{code!="200",method="GET"}',
  '{__name__=~"diff_.*",room=~"r[0-2]"}',
  'diff_temperature offset 3s',
  'diff_flapping',
  'diff_odd',
  'rate(diff_requests_total[5s])',
  'increase(diff_requests_total[7s])',
  'irate(diff_requests_total[5s])',
  'delta(diff_temperature{room="r0"}[4s])',
  'sum(rate(diff_requests_total[5s]))',
  'sum by (code) (rate(diff_requests_total[5s]))',
  'sum without (code) (increase(diff_requests_total[10s]))',
  'avg by (floor) (diff_temperature)',
  'min(diff_temperature)',
  'max by (floor) (diff_temperature)',
  'count by (method) (diff_requests_total)',
  'stddev by (floor) (diff_limit)',
  'quantile(0.9, diff_requests_total)',
  'topk(2, diff_requests_total)',
  'bottomk(1, diff_requests_total)',
  'avg_over_time(diff_temperature{room=~"r[23]"}[5s])',
  'min_over_time(diff_temperature[5s])',
  'max_over_time(diff_requests_total[6s])',
  'sum_over_time(diff_limit[4s])',
  'count_over_time(diff_flapping[8s])',
  'stddev_over_time(diff_requests_total[6s])',
  'quantile_over_time(0.5, diff_requests_total[6s])',
  'last_over_time(diff_flapping[10s])',
  'diff_temperature > on (floor) group_left () diff_limit',
  'diff_requests_total / on (method) group_left sum by (method) (diff_requests_total)',
  'diff_requests_total{code="200"} + ignoring (code) diff_requests_total{code="404"}',
  'diff_temperature and on (floor) (diff_limit > 11)',
  'diff_flapping or diff_odd',
  'diff_temperature unless diff_temperature{floor="0"}',
  'histogram_quantile(0.95, sum by (le) (rate(diff_latency_seconds_bucket[5s])))',
  'histogram_quantile(0.5, rate(diff_latency_seconds_bucket[5s]))',
  'max_over_time(sum(rate(diff_requests_total[3s]))[8s:2s])',
  'label_replace(diff_temperature, "place", "$1-x", "room", "r(.*)")',
  'absent(diff_flapping)',
  'absent(diff_nothing{a="b"})',
  'clamp_max(abs(diff_temperature), 12) * 2 - 1',
  'changes(diff_requests_total[6s]) + resets(diff_requests_total[6s])',
  'deriv(diff_temperature{room="r3"}[6s])',
  'predict_linear(diff_requests_total{code="200"}[6s], 10)',
  'sort_desc(sum by (code) (diff_requests_total))',
  'diff_requests_total @ end()',
  'time() - timestamp(diff_limit)',
  'sum(diff_temperature) by (floor) ^ 2 % 7',
  'diff_requests_total == bool 4',
  'up{job="diff"}',
];

/** Annotations of Prometheus 3.14 that the 3.5 to compare with does not have yet. */
const SINCE_3_14 = /sort is ineffective for range queries/;

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: string[];
  readonly infos?: string[];
  readonly data?: { readonly resultType: string; readonly result: readonly unknown[] };
}

/** Turns an answer into comparable lines: `{labels} @ time` -> value. */
function points(answer: Answer): Map<string, number> {
  const found = new Map<string, number>();
  type Row = { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] };
  for (const row of (answer.data?.result ?? []) as Row[]) {
    const labels = JSON.stringify(Object.entries(row.metric).sort(([a], [b]) => (a < b ? -1 : 1)));
    for (const [time, value] of row.values ?? (row.value ? [row.value] : [])) {
      found.set(`${labels} @ ${time}`, Number(value.replace('Inf', 'Infinity')));
    }
  }
  return found;
}

function differences(reference: Answer, ours: Answer): string[] {
  if (reference.status !== ours.status)
    return [`status ${reference.status} against ${ours.status}: ${ours.error ?? ''}`];
  const found: string[] = [];
  const theirs = points(reference);
  const mine = points(ours);
  for (const [key, value] of theirs) {
    const other = mine.get(key);
    const close = other !== undefined && Math.abs(other - value) <= 1e-9 * Math.max(1, Math.abs(value));
    if (!close && !Object.is(other, value)) found.push(`${key}: ${value} against ${other}`);
  }
  for (const key of mine.keys()) if (!theirs.has(key)) found.push(`${key}: only ours`);
  for (const kind of ['warnings', 'infos'] as const) {
    const a = JSON.stringify((reference[kind] ?? []).toSorted());
    const b = JSON.stringify((ours[kind] ?? []).filter((text) => !SINCE_3_14.test(text)).toSorted());
    if (a !== b) found.push(`${kind}: ${a} against ${b}`);
  }
  return found.slice(0, 5);
}

async function ask(peer: Peer, path: string, params: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${peer.url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(params) });
  return (await response.json()) as Answer;
}

const hasPeer = findPeer('prometheus') !== undefined;
const nodeExporter = findPeer('prometheus-node-exporter');

describe.skipIf(!hasPeer)('beside a real Prometheus (skipped where its program cannot be had)', () => {
  const target = new ChangingTarget(TICK_MS);
  const exporters: ChildProcess[] = [];
  const peers: Peer[] = [];
  let startMs = 0;
  let endMs = 0;

  beforeAll(async () => {
    const address = await target.listen();
    let config = `global: {scrape_interval: 250ms, scrape_timeout: 250ms}
scrape_configs:
  - job_name: diff
    static_configs: [{targets: ['${address}']}]
`;
    if (nodeExporter !== undefined) {
      const port = await freePort();
      exporters.push(spawn(nodeExporter, [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' }));
      config += `  - job_name: node
    scrape_interval: 3s
    scrape_timeout: 3s
    static_configs: [{targets: ['127.0.0.1:${port}']}]
`;
    }
    peers.push(await startPeer('prometheus', { config }), await startPeer('narthex', { config }));
    // Prometheus begins to scrape some seconds after its start, and windows reach back up to ten.
    await sleep(18 * TICK_MS);
    startMs = Math.ceil(Date.now() / TICK_MS) * TICK_MS + TICK_MS;
    await sleep(TICKS * TICK_MS);
    endMs = Math.floor(Date.now() / TICK_MS) * TICK_MS - 2 * TICK_MS;
  });

  afterAll(async () => {
    target.close();
    for (const exporter of exporters) exporter.kill();
    for (const peer of peers) await peer.stop();
  });

  test.each(QUERIES)('range: %s', async (query) => {
    const params = { query, start: String(startMs / 1000), end: String(endMs / 1000), step: '1' };
    const [reference, ours] = await Promise.all(peers.map((peer) => ask(peer, 'query_range', params)));
    expect(differences(reference!, ours!)).toEqual([]);
    if (!query.startsWith('absent')) expect(points(reference!).size).toBeGreaterThan(0);
  });

  test.each(QUERIES)('instant: %s', async (query) => {
    const params = { query, time: String((startMs + 0.6 * (endMs - startMs)) / 1000) };
    const [reference, ours] = await Promise.all(peers.map((peer) => ask(peer, 'query', params)));
    expect(differences(reference!, ours!)).toEqual([]);
  });

  test.skipIf(nodeExporter === undefined)('a real node exporter gives the same set of series', async () => {
    const sets = await Promise.all(
      peers.map(async (peer) => {
        const answer = await ask(peer, 'query', { query: '{job="node"}' });
        return [...points(answer).keys()].map((key) => key.replace(/ @ .*/, '')).sort();
      }),
    );
    expect(sets[0]!.length).toBeGreaterThan(300);
    expect(sets[1]).toEqual(sets[0]);
  });
});
