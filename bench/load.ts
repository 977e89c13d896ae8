// 1,000 targets of 200 series at 15 s while a heavy range query loops: what the load test checks and the bench asserts.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { historyRequests, postRemoteWrite } from './data/remote-write.ts';
import { scrapeConfig, startPeer, startTargets, type Peer } from './peers/process.ts';

const TARGETS = 1000;
const SERIES = 200;
const INTERVAL_S = 15;

export interface LoadOutcome {
  /** Scrapes that stored `up` 1, of those due in the time watched. */
  readonly scrapesDone: number;
  readonly scrapesDue: number;
  readonly queriesDone: number;
  /** 99th percentile of the main thread's delay, ms: the upper bound of its histogram bucket. */
  readonly delayP99Ms: number;
  readonly cpuShare: number;
}

async function instant(peer: Peer, query: string): Promise<number> {
  const response = await fetch(`${peer.url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
  const body = (await response.json()) as { data?: { result?: { value?: [number, string] }[] } };
  return Number(body.data?.result?.[0]?.value?.[1] ?? NaN);
}

async function metricText(peer: Peer): Promise<string> {
  return (await fetch(`${peer.url}/metrics`)).text();
}

/** Cumulative counts of a histogram by upper bound. */
function buckets(text: string, name: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const match of text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\S+)$`, 'gm'))) {
    found.set(match[1] === '+Inf' ? Infinity : Number(match[1]), Number(match[2]));
  }
  return found;
}

function percentileMs(before: Map<number, number>, after: Map<number, number>, share: number): number {
  const total = (after.get(Infinity) ?? 0) - (before.get(Infinity) ?? 0);
  for (const [bound, count] of after) if (count - (before.get(bound) ?? 0) >= share * total) return bound * 1000;
  return Infinity;
}

/** Runs the load for `intervals` scrape intervals after one to warm up. */
export async function runLoad(intervals: number): Promise<LoadOutcome> {
  const targets = await startTargets([`--series=${SERIES}`, `--interval=${INTERVAL_S * 1000}`]);
  const peer = await startPeer('narthex', { remoteWrite: true });
  let running = true;
  let queriesDone = 0;
  const heavy = async (): Promise<void> => {
    const now = Date.now() / 1000;
    const body = new URLSearchParams({
      query: 'sum by (job) (rate(load_history_total[5m])) / sum by (job) (count_over_time(load_history_total[10m]))',
      start: String(now - 2 * 3600),
      end: String(now),
      step: '15',
    });
    while (running) {
      const response = await fetch(`${peer.url}/api/v1/query_range`, { method: 'POST', body });
      await response.arrayBuffer();
      if (response.ok) queriesDone++;
    }
  };
  try {
    const plan = { metric: 'load_history_total', seriesCount: 2000, jobCount: 10, stepMs: 15_000, sampleCount: 480 };
    const startMs = Date.now() - plan.sampleCount * plan.stepMs;
    for (const body of historyRequests({ ...plan, startMs })) await postRemoteWrite(`${peer.url}/api/v1/write`, body);
    // History comes first: once targets are scraped, it would be older than the head takes.
    writeFileSync(join(peer.folder, 'prometheus.yml'), scrapeConfig(targets.port, TARGETS, `${INTERVAL_S}s`));
    process.kill(peer.pid, 'SIGHUP');
    const loops = [heavy(), heavy()];
    await sleep((INTERVAL_S + 2) * 1000);
    const before = buckets(await metricText(peer), 'narthex_eventloop_delay_seconds');
    const cpuBefore = peer.cpuMs();
    const watchedMs = intervals * INTERVAL_S * 1000;
    await sleep(watchedMs);
    const cpuShare = (peer.cpuMs() - cpuBefore) / watchedMs;
    const after = buckets(await metricText(peer), 'narthex_eventloop_delay_seconds');
    const scrapesDone = await instant(peer, `sum(sum_over_time(up{job="bench"}[${intervals * INTERVAL_S}s]))`);
    running = false;
    await Promise.all(loops);
    return {
      scrapesDone,
      scrapesDue: TARGETS * intervals,
      queriesDone,
      delayP99Ms: percentileMs(before, after, 0.99),
      cpuShare,
    };
  } finally {
    running = false;
    await peer.stop();
    targets.stop();
  }
}
