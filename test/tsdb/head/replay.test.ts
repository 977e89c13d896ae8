import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { replayWal, type ReplayProgress } from '../../../tsdb/head/replay.ts';
import { createNodeHost } from '../../../util/node-host.ts';
import { expectedLines, LogFixture, ModelHead, replayInto, walOptions, wordsText } from '../../support/wal.ts';
import { SimDisk, SimProcess } from '../../support/sim-host.ts';

const tsdb = fileURLToPath(new URL('../../../../shared/conformance/tsdb/', import.meta.url));
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A line of promtool's dump as ModelHead prints samples. */
function dumpLine(line: string): string {
  const [, labels, value, time] = /^(\{.*\}) (\S+) (\d+)$/.exec(line)!;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Number(value));
  return `${labels} ${time} ${wordsText(bits.getInt32(0), bits.getInt32(4))}`;
}

describe.skipIf(!existsSync(tsdb))('a log that Prometheus wrote', () => {
  test('gives every sample that promtool dumps, and no other', async () => {
    const head = new ModelHead();
    const report = await replayInto(head, createNodeHost(silent), `${tsdb}wal-only/wal`);
    const dump = readFileSync(`${tsdb}wal-only.dump.txt`, 'utf8').trim().split('\n');
    expect(head.lines()).toEqual(dump.map(dumpLine).sort());
    expect(report).toMatchObject({ sampleCount: 104, seriesCount: 22, unresolvedSampleCount: 0, nextRef: 23 });
    expect(report.segments.map(({ damageCount }) => damageCount)).toEqual([0, 0]);
    expect(new Set(report.recordsByType.keys())).toEqual(new Set([3, 4, 6]));
  });
});

/** A disk with a log of 150 commits in segments of 32 KiB. */
async function writtenDisk(seed: number, options: Parameters<typeof walOptions>[0] = {}): Promise<SimDisk> {
  const process = new SimProcess(new SimDisk(seed));
  const fixture = new LogFixture(process, walOptions({ segmentBytes: 32_768, compression: 'none', ...options }), 60);
  for (const n of range(150)) await process.drive(fixture.commit(n));
  await process.drive(fixture.writer.close());
  return process.disk;
}

async function replayDisk(disk: SimDisk): Promise<{ head: ModelHead; report: Awaited<ReturnType<typeof replayInto>> }> {
  const process = new SimProcess(disk);
  const head = new ModelHead();
  const report = await process.drive(replayInto(head, process));
  return { head, report: report! };
}

test('what follows damage is kept, in this segment and in all later ones', async () => {
  const disk = await writtenDisk(1);
  const all = expectedLines(range(150), 60);
  const bad = disk.content('data/wal/00000001');
  bad[100]! ^= 4;
  const { head, report } = await replayDisk(disk);
  const lines = head.lines();
  const allowed = new Set(all);
  expect(lines.filter((line) => !allowed.has(line))).toEqual([]);
  expect(report.segments[1]!.damageCount).toBe(1);
  expect(report.segments.length).toBeGreaterThan(2);
  expect(lines.filter((line) => line.includes(' 1149000 ')).length).toBe(60);
  expect(lines.length).toBeLessThan(all.length);
});

test('samples of a lost series are counted and attached to none, nor is their reference given out again', async () => {
  const disk = await writtenDisk(1);
  disk.content('data/wal/00000000')[8]! ^= 1;
  const { head, report } = await replayDisk(disk);
  const allowed = new Set(expectedLines(range(150), 60));
  expect(head.lines().filter((line) => !allowed.has(line))).toEqual([]);
  expect(report.unresolvedSampleCount).toBeGreaterThan(0);
  const whole = await replayDisk(await writtenDisk(1));
  expect(report.nextRef).toBe(whole.report.nextRef);
});

test('a log continued after replay keeps its references and needs no series twice', async () => {
  const disk = await writtenDisk(1);
  const process = new SimProcess(disk);
  const head = new ModelHead();
  const report = (await process.drive(replayInto(head, process)))!;
  const fixture = new LogFixture(process, walOptions({ firstSegment: 50, compression: 'none' }), 60, report, head);
  for (const n of [150, 151]) await process.drive(fixture.commit(n));
  await process.drive(fixture.writer.close());
  expect(disk.content('data/wal/00000050').length).toBeLessThan(2 * 60 * 14 + 200);
  expect((await replayDisk(disk)).head.lines()).toEqual(expectedLines(range(152), 60));
});

test('a missing segment costs only what it held', async () => {
  const disk = await writtenDisk(1);
  disk.files.delete('data/wal/00000001');
  const { head, report } = await replayDisk(disk);
  const all = expectedLines(range(150), 60);
  expect(new Set(all).isSupersetOf(new Set(head.lines()))).toBe(true);
  expect(head.lines().filter((line) => line.includes(' 1149000 ')).length).toBe(60);
  expect(report.segments.map(({ segment }) => segment.index)).not.toContain(1);
});

test('an empty segment, and one shorter than a header, are as none', async () => {
  const disk = await writtenDisk(1);
  disk.put('data/wal/00000090', new Uint8Array(0));
  disk.put('data/wal/00000091', Uint8Array.of(1, 0));
  const { head, report } = await replayDisk(disk);
  expect(head.lines()).toEqual(expectedLines(range(150), 60));
  expect(report.segments.slice(-2).map(({ recordCount }) => recordCount)).toEqual([0, 0]);
});

test('a checkpoint is read before the segments it does not cover', async () => {
  const disk = await writtenDisk(1);
  disk.put('data/wal/checkpoint.00000000/00000000', disk.content('data/wal/00000000'));
  disk.put('data/wal/00000000', Uint8Array.of(1, 2, 3));
  const { head, report } = await replayDisk(disk);
  expect(head.lines()).toEqual(expectedLines(range(150), 60));
  expect(report.segments[0]!.segment.path).toContain('checkpoint');
});

test('a bit flipped anywhere gives no sample that was not written', async () => {
  const disk = await writtenDisk(1, { compression: 'snappy' });
  const allowed = new Set(expectedLines(range(150), 60));
  const path = 'data/wal/00000000';
  const bytes = disk.content(path);
  for (let i = 0; i < 60; i++) {
    const at = (i * 1009) % bytes.length;
    const bad = bytes.slice();
    bad[at]! ^= 1 << (i & 7);
    disk.put(path, bad);
    const { head } = await replayDisk(disk);
    expect(head.lines().filter((line) => !allowed.has(line))).toEqual([]);
  }
});

test('progress counts segments and bytes up to the end, and an abort ends replay', async () => {
  const disk = await writtenDisk(1);
  const process = new SimProcess(disk);
  const seen: ReplayProgress[] = [];
  const signal = new AbortController().signal;
  await process.drive(replayWal('data/wal', new ModelHead(), process, (progress) => void seen.push(progress), signal));
  expect([...new Set(seen.map(({ currentSegment }) => currentSegment))]).toEqual([0, 1, 2, 3]);
  expect(seen.at(-1)).toMatchObject({ minSegment: 0, maxSegment: 3, currentSegment: 3 });
  expect(seen.at(-1)!.readBytes).toBeLessThan(seen.at(-1)!.totalBytes);
  const aborted = AbortSignal.abort();
  const next = new SimProcess(disk);
  await expect(next.drive(replayWal('data/wal', new ModelHead(), next, () => undefined, aborted))).rejects.toThrow();
});
