import { expect, test } from 'vitest';
import { createRecordCheck } from '../../../tsdb/head/replay.ts';
import { repairWal } from '../../../tsdb/wal/repair.ts';
import { PAGE_BYTES } from '../../../tsdb/wal/segment.ts';
import { LogFixture, ModelHead, replayInto, walOptions } from '../../support/wal.ts';
import { SimDisk, SimProcess } from '../../support/sim-host.ts';

const SEGMENT = 'data/wal/00000000';

/** One segment of several pages, closed. */
async function writtenDisk(): Promise<SimDisk> {
  const process = new SimProcess(new SimDisk(1));
  const fixture = new LogFixture(process, walOptions({ segmentBytes: 8 * PAGE_BYTES, compression: 'none' }), 60);
  for (let n = 0; n < 150; n++) await process.drive(fixture.commit(n));
  await process.drive(fixture.writer.close());
  return process.disk;
}

interface Pass {
  readonly lines: string[];
  readonly damages: string[];
  readonly quarantined: number;
  readonly process: SimProcess;
}

async function replayAndRepair(disk: SimDisk): Promise<Pass> {
  const process = new SimProcess(disk);
  const head = new ModelHead();
  const report = (await process.drive(replayInto(head, process)))!;
  const quarantined = (await process.drive(repairWal('data', report.segments, createRecordCheck(), process)))!;
  const damages = report.segments.flatMap(({ damages: found }) => found.map(({ kind }) => kind));
  return { lines: head.lines(), damages, quarantined, process };
}

function quarantine(disk: SimDisk): string[] {
  return [...disk.files.keys()].filter((path) => path.startsWith('data/quarantine/')).sort();
}

test('a sound log is left as it is', async () => {
  const disk = await writtenDisk();
  const before = disk.content(SEGMENT).slice();
  expect((await replayAndRepair(disk)).quarantined).toBe(0);
  expect(disk.content(SEGMENT)).toEqual(before);
  expect(quarantine(disk)).toEqual([]);
});

test('a torn end is cut off and kept in quarantine', async () => {
  const disk = await writtenDisk();
  const whole = disk.content(SEGMENT).slice();
  disk.put(SEGMENT, whole.subarray(0, whole.length - 5));
  const first = await replayAndRepair(disk);
  expect([first.damages, first.quarantined]).toEqual([['torn'], 1]);
  const cut = disk.content(SEGMENT).length;
  expect(cut).toBeLessThan(whole.length - 5);
  expect(quarantine(disk).map((path) => path.split('/').at(-1))).toEqual(['00000000', 'reason.json']);
  const [kept, reason] = quarantine(disk).map((path) => disk.content(path));
  expect(kept).toEqual(whole.subarray(cut, whole.length - 5));
  expect(JSON.parse(new TextDecoder().decode(reason))).toMatchObject({
    offset: cut,
    error: expect.stringContaining('torn'),
  });
  const second = await replayAndRepair(disk);
  expect([second.damages, second.quarantined, second.lines]).toEqual([[], 0, first.lines]);
});

test('a segment damaged in the middle is rewritten with what is whole; the original goes to quarantine', async () => {
  const disk = await writtenDisk();
  const bad = disk.content(SEGMENT).slice();
  bad[PAGE_BYTES + 500]! ^= 16;
  disk.put(SEGMENT, bad);
  const first = await replayAndRepair(disk);
  expect([first.damages, first.quarantined]).toEqual([['checksum'], 1]);
  expect(disk.content(quarantine(disk)[0]!)).toEqual(bad);
  expect([...disk.files.keys()].filter((path) => path.endsWith('.tmp'))).toEqual([]);
  const second = await replayAndRepair(disk);
  expect([second.damages, second.quarantined, second.lines]).toEqual([[], 0, first.lines]);
});

test('a segment that the disk does not give is left alone, and comes back when it does', async () => {
  const disk = await writtenDisk();
  const before = disk.content(SEGMENT).slice();
  const { lines } = await replayAndRepair(disk);
  disk.fail({ operation: 'read', after: 1, code: 'EIO', isLasting: true });
  const refused = await replayAndRepair(disk);
  expect([refused.lines, refused.damages, refused.quarantined]).toEqual([[], ['unreadable'], 0]);
  disk.heal();
  expect(disk.content(SEGMENT)).toEqual(before);
  expect((await replayAndRepair(disk)).lines).toEqual(lines);
});

test('a missing number gets an empty segment, behind a checkpoint too', async () => {
  const disk = await writtenDisk();
  for (const index of [3, 5]) disk.put(`data/wal/0000000${index}`, disk.content(SEGMENT));
  const { process } = await replayAndRepair(disk);
  const names = (): string[] =>
    [...disk.files.keys()]
      .filter((path) => /^data\/wal\/\d+$/.test(path))
      .map((path) => path.at(-1)!)
      .sort();
  expect(names()).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(disk.content('data/wal/00000004').length).toBe(0);
  expect(process.lines.map(({ facts }) => facts['segments'])).toEqual([3]);

  disk.put('data/wal/checkpoint.00000000/00000000', disk.content(SEGMENT));
  disk.files.delete('data/wal/00000001');
  await replayAndRepair(disk);
  expect(names()).toEqual(['0', '1', '2', '3', '4', '5']);
});

test('a crash or a full disk at any step of a repair loses nothing that was whole', async () => {
  const source = await writtenDisk();
  const bad = source.content(SEGMENT).slice();
  bad[PAGE_BYTES + 500]! ^= 16;
  source.put(SEGMENT, bad);
  const { lines } = await replayAndRepair(source);
  const step = process.env['NARTHEX_LONG'] === undefined ? 5 : 1;
  for (let events = 0; events < 60; events += step) {
    const disk = new SimDisk(events);
    disk.put(SEGMENT, bad);
    const first = new SimProcess(disk);
    const report = (await first.drive(replayInto(new ModelHead(), first)))!;
    if (events % 3 === 2) disk.capacityBytes = disk.usedBytes + events * 4000;
    await first.drive(repairWal('data', report.segments, createRecordCheck(), first), events);
    first.die(events % 2 === 0 ? 'kill' : 'power');
    disk.capacityBytes = Infinity;
    expect((await replayAndRepair(disk)).lines).toEqual(lines);
    const last = await replayAndRepair(disk);
    expect([last.lines, last.damages]).toEqual([lines, []]);
  }
});
