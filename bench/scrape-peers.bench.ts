// CPU per scraped sample, side by side: the same 50 targets of 1,000 series, each second, into each server at once.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchResult } from './harness.ts';
import { availablePeers, ratioNote } from './peers/kinds.ts';
import { scrapeConfig, startPeer, startTargets, type Peer, type PeerKind } from './peers/process.ts';

const TARGETS = Number(process.env['BENCH_TARGETS'] ?? 50);
const SERIES = 1000;
const WARM_UP_MS = 15_000;
const MEASURE_MS = Number(process.env['BENCH_SECONDS'] ?? 45) * 1000;

async function countSeries(peer: Peer): Promise<number> {
  const query = encodeURIComponent('sum(scrape_samples_scraped{job="bench"})');
  const response = await fetch(`${peer.url}/api/v1/query?query=${query}`);
  const body = (await response.json()) as { data?: { result?: { value?: [number, string] }[] } };
  return Number(body.data?.result?.[0]?.value?.[1] ?? NaN);
}

export async function run(): Promise<BenchResult[]> {
  const kinds = availablePeers();
  const targets = await startTargets([`--series=${SERIES}`, '--interval=1000']);
  const peers: Peer[] = [];
  try {
    for (const kind of kinds) peers.push(await startPeer(kind, { config: scrapeConfig(targets.port, TARGETS, '1s') }));
    await sleep(WARM_UP_MS);
    const before = peers.map((peer) => peer.cpuMs());
    await sleep(MEASURE_MS);
    const used = peers.map((peer, i) => peer.cpuMs() - before[i]!);
    const perSample = new Map<PeerKind, number>();
    const results: BenchResult[] = [];
    for (const [i, peer] of peers.entries()) {
      const seen = await countSeries(peer);
      if (seen !== TARGETS * SERIES) console.log(`  ${peer.kind} scraped ${seen} of ${TARGETS * SERIES} series`);
      perSample.set(peer.kind, (used[i]! * 1000) / (TARGETS * SERIES * (MEASURE_MS / 1000)));
    }
    for (const peer of peers) {
      const value = perSample.get(peer.kind)!;
      results.push({
        name: `scrape CPU, ${peer.kind}`,
        value,
        unit: 'us/sample',
        ...ratioNote(peer.kind, value, perSample),
      });
      results.push({ name: `  resident memory, ${peer.kind}`, value: peer.memory().rssBytes / 2 ** 20, unit: 'MiB' });
    }
    return results;
  } finally {
    for (const peer of peers) await peer.stop();
    targets.stop();
  }
}
