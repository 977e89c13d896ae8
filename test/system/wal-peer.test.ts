// Prometheus' own tool reads the log that Narthex writes, and the log that Narthex repaired.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findPeer } from '../../bench/peers/process.ts';
import { Labels } from '../../model/labels.ts';
import { SampleBatch } from '../../model/sample.ts';
import { Db } from '../../tsdb/db.ts';
import { DEFAULT_DB_OPTIONS } from '../../tsdb/options.ts';
import { MetricRegistry } from '../../util/metrics.ts';
import { createNodeHost } from '../../util/node-host.ts';
import { allSamples } from '../support/db.ts';

const prometheus = findPeer('prometheus');
const promtool = join(dirname(prometheus ?? ''), 'promtool');
const path = mkdtempSync(join(tmpdir(), 'narthex-wal-peer-'));
afterAll(() => rmSync(path, { recursive: true, force: true }));
const silent = (): void => undefined;
const host = createNodeHost({ debug: silent, info: silent, warn: silent, error: silent });
const start = Date.now() - 3_600_000;

async function open(walCompression: 'none' | 'snappy' | 'zstd'): Promise<Db> {
  const options = { ...DEFAULT_DB_OPTIONS, path, walCompression, walSegmentBytes: 64 * 1024 };
  const db = await Db.open(options, host, new MetricRegistry());
  await db.replay();
  return db;
}

/** What promtool reads, as `allSamples` prints it. */
function dump(): string[] {
  const run = spawnSync(promtool, ['tsdb', 'dump', path], { encoding: 'utf8', maxBuffer: 1 << 28 });
  expect(run.status, run.stderr).toBe(0);
  const lines = run.stdout.trim().split('\n');
  return lines
    .map((line) => line.replace(/ (\S+) (\d+)$/, (_, value: string, time) => ` ${time} ${Number(value)}`))
    .sort();
}

describe.skipIf(!existsSync(promtool))('promtool', () => {
  test('reads every sample of a log written over three lives, one per compression', async () => {
    for (const [life, compression] of (['none', 'snappy', 'zstd'] as const).entries()) {
      const db = await open(compression);
      const batch = new SampleBatch();
      for (let n = life * 60; n < life * 60 + 60; n++) {
        batch.clear();
        for (let i = 0; i < 100; i++) {
          const labels = Labels.fromObject({ __name__: 'peer_total', i: String(i), life: i < 5 ? String(n) : 'é' });
          batch.append(db.appender.seriesRef(labels), start + n * 1000, n * 1.5 + i / 7);
        }
        await db.appender.commit(batch);
      }
      const all = allSamples(db.queryable).sort();
      await db.close();
      expect(all.length).toBe((life + 1) * 6000);
      expect(dump()).toEqual(all);
    }
  });

  test('reads a log that was damaged and repaired', async () => {
    const segments = await host.fs.list(join(path, 'wal'));
    expect(segments.length).toBeGreaterThanOrEqual(4);
    const first = join(path, 'wal', segments[0]!);
    const bytes = readFileSync(first);
    bytes[40_000]! ^= 1;
    writeFileSync(first, bytes);
    rmSync(join(path, 'wal', segments[2]!));
    const last = join(path, 'wal', segments.at(-1)!);
    writeFileSync(last, readFileSync(last).subarray(0, -3));
    const db = await open('snappy');
    const all = allSamples(db.queryable).sort();
    await db.close();
    expect(all.length).toBeGreaterThan(6000);
    expect(dump()).toEqual(all);
  });
});
