// Memory per active series above idle, side by side but one server at a time: 200 targets of 1,000 series with ten
// labels, about 50 samples each.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchResult } from './harness.ts';
import { availablePeers, ratioNote } from './peers/kinds.ts';
import { scrapeConfig, startPeer, startTargets, type PeerKind } from './peers/process.ts';

const TARGETS = Number(process.env['BENCH_TARGETS'] ?? 200);
const SERIES = 1000;
const INTERVAL_S = 2;
const SAMPLES = 50;

async function idleBytes(kind: PeerKind): Promise<number> {
  const peer = await startPeer(kind);
  await sleep(10_000);
  const { rssBytes } = peer.memory();
  await peer.stop();
  return rssBytes;
}

async function loadedBytes(kind: PeerKind, port: number): Promise<number> {
  const peer = await startPeer(kind, { config: scrapeConfig(port, TARGETS, `${INTERVAL_S}s`) });
  await sleep((SAMPLES + 2) * INTERVAL_S * 1000);
  const { rssBytes } = peer.memory();
  await peer.stop();
  return rssBytes;
}

export async function run(): Promise<BenchResult[]> {
  const targets = await startTargets([`--series=${SERIES}`, `--interval=${INTERVAL_S * 1000}`]);
  const idle = new Map<PeerKind, number>();
  const perSeries = new Map<PeerKind, number>();
  try {
    for (const kind of availablePeers()) {
      idle.set(kind, await idleBytes(kind));
      const loaded = await loadedBytes(kind, targets.port);
      perSeries.set(kind, (loaded - idle.get(kind)!) / (TARGETS * SERIES));
    }
  } finally {
    targets.stop();
  }
  const results: BenchResult[] = [];
  for (const [kind, value] of perSeries) {
    results.push({ name: `memory idle, ${kind}`, value: idle.get(kind)! / 2 ** 20, unit: 'MiB' });
    results.push({ name: `memory, ${kind}`, value, unit: 'B/series', ...ratioNote(kind, value, perSeries) });
  }
  return results;
}
