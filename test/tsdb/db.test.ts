import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import { SampleBatch } from '../../model/sample.ts';
import { Db } from '../../tsdb/db.ts';
import { DEFAULT_DB_OPTIONS, type DbOptions } from '../../tsdb/options.ts';
import { ExpositionWriter, MetricRegistry } from '../../util/metrics.ts';
import { createNodeHost } from '../../util/node-host.ts';
import { allSamples } from '../support/db.ts';
import { SimDisk, SimProcess } from '../support/sim-host.ts';

const root = mkdtempSync(join(tmpdir(), 'narthex-db-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const tsdb = fileURLToPath(new URL('../../../shared/conformance/tsdb/', import.meta.url));
const silent = (): void => undefined;
const nodeHost = createNodeHost({ debug: silent, info: silent, warn: silent, error: silent });

const OPTIONS: DbOptions = { ...DEFAULT_DB_OPTIONS, minFreeBytes: 0 };

interface Life {
  readonly process: SimProcess;
  readonly db: Db;
  readonly registry: MetricRegistry;
}

/** Opens and replays; `drive` runs the simulation while it does. */
async function start(disk: SimDisk, options: Partial<DbOptions> = {}): Promise<Life> {
  const process = new SimProcess(disk);
  const registry = new MetricRegistry();
  const db = (await process.drive(Db.open({ ...OPTIONS, ...options }, process, registry)))!;
  await process.drive(db.replay());
  return { process, db, registry };
}

function batchOf(db: Db, n: number, series = 3): SampleBatch {
  const batch = new SampleBatch();
  for (let i = 0; i < series; i++) {
    const ref = db.appender.seriesRef(Labels.fromObject({ __name__: 'x', i: String(i) }));
    if (n % 7 === 6) batch.appendStale(ref, 1000 + n);
    else batch.append(ref, 1000 + n, n + i);
  }
  return batch;
}

function linesOf(commits: readonly number[], series = 3): string[] {
  const lines: string[] = [];
  for (let i = 0; i < series; i++) {
    for (const n of commits) lines.push(`{__name__="x", i="${i}"} ${1000 + n} ${n % 7 === 6 ? 'stale' : n + i}`);
  }
  return lines;
}

function metricsText(registry: MetricRegistry): string {
  const out = new ExpositionWriter();
  registry.write(out);
  return out.toString();
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('what was committed is there after a kill, and after a clean stop', async () => {
  const disk = new SimDisk(1);
  for (const [first, end] of [
    [0, 'kill'],
    [10, 'close'],
    [20, 'kill'],
  ] as const) {
    const { process, db } = await start(disk);
    expect(allSamples(db.queryable)).toEqual(linesOf(range(first)));
    for (const n of range(10)) {
      const result = await process.drive(db.appender.commit(batchOf(db, first + n)));
      expect(result).toMatchObject({ storedCount: 3, firstError: undefined });
    }
    expect(allSamples(db.queryable)).toEqual(linesOf(range(first + 10)));
    if (end === 'close') await process.drive(db.close());
    process.die('kill');
  }
  expect([...disk.files.keys()].filter((path) => path.startsWith('data/wal/')).length).toBe(3);
  expect(allSamples((await start(disk)).db.queryable)).toEqual(linesOf(range(30)));
});

test('a clean stop loses nothing to a power loss right after', async () => {
  const disk = new SimDisk(3);
  const { process, db } = await start(disk, { walFsync: 'segment' });
  for (const n of range(5)) await process.drive(db.appender.commit(batchOf(db, n)));
  await process.drive(db.close());
  process.die('power');
  expect(allSamples((await start(disk)).db.queryable)).toEqual(linesOf(range(5)));
});

test('before replay and after close a commit is refused', async () => {
  const process = new SimProcess(new SimDisk(1));
  const db = (await process.drive(Db.open(OPTIONS, process, new MetricRegistry())))!;
  await expect(process.drive(db.appender.commit(batchOf(db, 0)))).rejects.toThrow('is being replayed');
  await process.drive(db.replay());
  await process.drive(db.appender.commit(batchOf(db, 1)));
  expect(allSamples(db.queryable)).toEqual(linesOf([1]));
  await process.drive(db.close());
  await expect(process.drive(db.appender.commit(batchOf(db, 2)))).rejects.toThrow('the database is closed');
});

test('a commit that the disk refuses is not visible, and the next one is whole', async () => {
  const disk = new SimDisk(1);
  const { process, db, registry } = await start(disk);
  await process.drive(db.appender.commit(batchOf(db, 0)));
  disk.capacityBytes = disk.usedBytes + 10;
  await expect(process.drive(db.appender.commit(batchOf(db, 1, 5)))).rejects.toThrow('write-ahead log: ENOSPC');
  expect(allSamples(db.queryable)).toEqual(linesOf([0]));
  disk.capacityBytes = Infinity;
  await process.drive(db.appender.commit(batchOf(db, 2, 5)));
  const lines = allSamples(db.queryable);
  process.die('kill');
  expect(allSamples((await start(disk)).db.queryable)).toEqual(lines);
  expect(metricsText(registry)).toContain('prometheus_tsdb_wal_writes_failed_total 1');
});

test('nearly full, it refuses commits and says so; it starts with no byte free, too', async () => {
  const disk = new SimDisk(1);
  const first = await start(disk);
  await first.process.drive(first.db.appender.commit(batchOf(first.db, 0)));
  first.process.die('kill');
  disk.capacityBytes = disk.usedBytes;
  const { process, db, registry } = await start(disk, { minFreeBytes: 1000 });
  expect(allSamples(db.queryable)).toEqual(linesOf([0]));
  await expect(process.drive(db.appender.commit(batchOf(db, 1)))).rejects.toThrow('storage is read-only: 0 bytes');
  expect(metricsText(registry)).toContain('tsdb_read_only 1');
  expect(db.stats().readOnlyReason).toContain('--storage.tsdb.min-free-disk');
  disk.capacityBytes = Infinity;
  await process.advance(3000);
  await process.drive(db.appender.commit(batchOf(db, 2)));
  expect(metricsText(registry)).toContain('tsdb_read_only 0');
  expect(allSamples(db.queryable)).toEqual(linesOf([0, 2]));
});

test('a damaged log is repaired and counted, and the start goes on', async () => {
  const disk = new SimDisk(1);
  const first = await start(disk, { walCompression: 'none' });
  for (const n of range(5)) await first.process.drive(first.db.appender.commit(batchOf(first.db, n)));
  first.process.die('kill');
  const segment = 'data/wal/00000000';
  disk.put(segment, disk.content(segment).subarray(0, disk.content(segment).length - 3));
  disk.put('data/wal/00000001.tmp', Uint8Array.of(1));
  const { process, db, registry } = await start(disk);
  expect(allSamples(db.queryable)).toEqual(linesOf(range(4)));
  const text = metricsText(registry);
  expect(text).toContain('prometheus_tsdb_wal_corruptions_total 1');
  expect(text).toContain('tsdb_wal_records_skipped_total{reason="torn"} 1');
  expect(text).toContain('tsdb_quarantined_total{kind="wal"} 1');
  expect(disk.files.has('data/wal/00000001.tmp')).toBe(false);
  await process.drive(db.close());
  const again = await start(disk);
  expect(metricsText(again.registry)).toContain('prometheus_tsdb_wal_corruptions_total 0');
});

test('a head that takes no more series drops those of the log beyond its limit, and keeps the rest', async () => {
  const disk = new SimDisk(1);
  const first = await start(disk);
  await first.process.drive(first.db.appender.commit(batchOf(first.db, 0, 5)));
  first.process.die('kill');
  const { process, db, registry } = await start(disk, { maxHeadSeries: 2 });
  expect(allSamples(db.queryable)).toEqual(linesOf([0], 2));
  expect(() => db.appender.seriesRef(Labels.fromObject({ __name__: 'x', i: '4' }))).toThrow('max-head-series');
  expect(metricsText(registry)).toContain('tsdb_head_series_limit 2');
  await process.drive(db.appender.commit(batchOf(db, 1, 2)));
  process.die('kill');
  expect(allSamples((await start(disk)).db.queryable).length).toBe(7);
});

test('a second database on the same directory is refused, naming the lock; close gives it back', async () => {
  const path = join(root, 'twice');
  const first = await Db.open({ ...OPTIONS, path }, nodeHost, new MetricRegistry());
  await expect(Db.open({ ...OPTIONS, path }, nodeHost, new MetricRegistry())).rejects.toThrow(
    `the data directory is in use: another process holds the lock ${path}/lock`,
  );
  await first.close();
  await (await Db.open({ ...OPTIONS, path }, nodeHost, new MetricRegistry())).close();
});

test('a directory that cannot be used is one clear error', async () => {
  const path = join(root, 'file');
  writeFileSync(path, '');
  const opened = Db.open({ ...OPTIONS, path: `${path}/data` }, nodeHost, new MetricRegistry());
  await expect(opened).rejects.toMatchObject({ code: 'unavailable' });
  await expect(opened).rejects.toThrow(`cannot use the data directory ${path}/data: ENOTDIR`);
});

describe.skipIf(!existsSync(tsdb))('a data directory of Prometheus', () => {
  test('is opened, read and continued', async () => {
    const path = join(root, 'theirs');
    cpSync(join(tsdb, 'wal-only'), path, { recursive: true });
    const open = async (): Promise<Db> => {
      const db = await Db.open({ ...OPTIONS, path }, nodeHost, new MetricRegistry());
      await db.replay();
      return db;
    };
    const db = await open();
    const dump = readFileSync(join(tsdb, 'wal-only.dump.txt'), 'utf8').trim().split('\n');
    const expected = dump.map((line) => {
      const [, labels, value, time] = /^(\{.*\}) (\S+) (\d+)$/.exec(line)!;
      return `${labels} ${time} ${Number(value)}`;
    });
    expect(allSamples(db.queryable).sort()).toEqual(expected.sort());
    const batch = new SampleBatch();
    const ref = db.appender.seriesRef(Labels.fromObject({ __name__: 'up', instance: 'new' }));
    batch.append(ref, Number(dump[0]!.split(' ').at(-1)), 1);
    await db.appender.commit(batch);
    const all = allSamples(db.queryable);
    expect(all.length).toBe(expected.length + 1);
    await db.close();
    const again = await open();
    expect(allSamples(again.queryable)).toEqual(all);
    await again.close();
  });
});

test('the fsync of the log, the head and replay show in the metrics under their names', async () => {
  const { process, db, registry } = await start(new SimDisk(1));
  for (const n of range(3)) await process.drive(db.appender.commit(batchOf(db, n)));
  await process.drive(db.appender.commit(batchOf(db, 0)));
  await process.advance(2000);
  const text = metricsText(registry);
  for (const line of [
    'prometheus_tsdb_head_series 3',
    'prometheus_tsdb_head_samples_appended_total{type="float"} 9',
    'prometheus_tsdb_out_of_order_samples_total{type="float"} 3',
    'prometheus_tsdb_head_min_time 1000',
    'prometheus_tsdb_head_max_time 1002',
    'prometheus_tsdb_wal_fsync_duration_seconds_count 1',
    'prometheus_tsdb_wal_segment_current 0',
    'prometheus_tsdb_wal_corruptions_total 0',
    'tsdb_wal_fsync_failures_total 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(db.stats().walBytes).toBeGreaterThan(50);
});
