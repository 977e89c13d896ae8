import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Db } from '../../tsdb/db.ts';
import { DEFAULT_DB_OPTIONS } from '../../tsdb/options.ts';
import { MetricRegistry } from '../../util/metrics.ts';
import { createNodeHost } from '../../util/node-host.ts';
import { allSamples } from '../support/db.ts';
import { SimRandom } from '../support/sim-host.ts';

const LIVES = process.env['NARTHEX_LONG'] === undefined ? 6 : 24;
const SERIES = 50;
const seed = Number(process.env['NARTHEX_SEED'] ?? Date.now() % 1_000_000);
const child = fileURLToPath(new URL('commit-loop.worker.ts', import.meta.url));
const silent = (): void => undefined;
const host = createNodeHost({ debug: silent, info: silent, warn: silent, error: silent });

/** Lets a process commit from `first` on and kills it `afterMs` after it was ready (or after its start); what it said. */
async function oneLife(path: string, first: number, afterMs: number, fromStart: boolean): Promise<number[]> {
  const run = spawn(process.execPath, [child, path, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let isReady: () => void = silent;
  const ready = new Promise<void>((resolve) => void (isReady = resolve));
  run.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.startsWith('ready\n')) isReady();
  });
  const closed = new Promise<void>((resolve) => void run.on('close', () => resolve()));
  if (!fromStart) await Promise.race([ready, closed]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  expect(run.exitCode).toBe(null);
  run.kill('SIGKILL');
  await closed;
  return [...output.matchAll(/^acked (\d+)$/gm)].map((match) => Number(match[1]));
}

/** Commits found in the database by number, and how many of their samples. */
async function readCommits(path: string): Promise<Map<number, number>> {
  const db = await Db.open({ ...DEFAULT_DB_OPTIONS, path }, host, new MetricRegistry());
  try {
    const report = await db.replay();
    expect(report.unresolvedSampleCount).toBe(0);
    const found = new Map<number, number>();
    const mangled: string[] = [];
    for (const line of allSamples(db.queryable)) {
      const [, i, pod, time, value] = /i="(\d+)", pod="([^"]*)"\} (\d+) (\d+)$/.exec(line)!;
      const n = Math.floor(Number(value) / 100);
      const expectedPod = Number(i) < SERIES / 10 ? `pod-${Math.floor(n / 20)}` : 'steady';
      const isRight =
        Number(value) % 100 === Number(i) && Number(time) === 1_700_000_000_000 + n * 10 && pod === expectedPod;
      if (!isRight) mangled.push(line);
      found.set(n, (found.get(n) ?? 0) + 1);
    }
    expect(mangled).toEqual([]);
    return found;
  } finally {
    await db.close();
  }
}

test(`kill -9 at any moment: every acknowledged commit is there whole, and no half one (seed ${seed})`, async () => {
  const random = new SimRandom(seed);
  const path = mkdtempSync(join(tmpdir(), 'narthex-kill9-'));
  const acked = new Set<number>();
  let first = 0;
  try {
    for (let life = 0; life < LIVES; life++) {
      const fromStart = life % 6 === 5;
      const afterMs = fromStart ? 50 + random.below(250) : random.below(life % 3 === 2 ? 1500 : 400);
      for (const n of await oneLife(path, first, afterMs, fromStart)) acked.add(n);
      const found = await readCommits(path);
      expect([...acked].filter((n) => found.get(n) !== SERIES)).toEqual([]);
      expect([...found].filter(([, count]) => count !== SERIES)).toEqual([]);
      first = Math.max(-1, ...found.keys()) + 1;
    }
    expect(acked.size).toBeGreaterThan(100);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
});
