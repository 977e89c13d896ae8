import { expect, test } from 'vitest';
import type { FsyncPolicy } from '../../../tsdb/options.ts';
import { expectedLines, LogFixture, ModelHead, replayInto, walOptions } from '../../support/wal.ts';
import { SimDisk, SimProcess } from '../../support/sim-host.ts';

function start(options: Parameters<typeof walOptions>[0] = {}, seed = 1): { process: SimProcess; fixture: LogFixture } {
  const process = new SimProcess(new SimDisk(seed));
  return { process, fixture: new LogFixture(process, walOptions(options)) };
}

async function linesAfter(process: SimProcess): Promise<string[]> {
  process.die('kill');
  const next = new SimProcess(process.disk);
  const head = new ModelHead();
  await next.drive(replayInto(head, next));
  return head.lines();
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

for (const compression of ['none', 'snappy', 'zstd'] as const) {
  test(`commits come back over several segments, compression ${compression}`, async () => {
    const process = new SimProcess(new SimDisk(1));
    const fixture = new LogFixture(process, walOptions({ compression, segmentBytes: 32_768 }), 60);
    for (const n of range(150)) await process.drive(fixture.commit(n));
    expect(fixture.writer.segmentIndex).toBeGreaterThan(0);
    for (const path of process.disk.files.keys()) expect(process.disk.content(path).length).toBeLessThanOrEqual(32_768);
    expect(await linesAfter(process)).toEqual(expectedLines(range(150), 60));
  });
}

test('commits that arrive while a write is under way go out in one write', async () => {
  const { process, fixture } = start();
  let writes = 0;
  const check = process.disk.check.bind(process.disk);
  process.disk.check = (operation) => {
    if (operation === 'write') writes++;
    check(operation);
  };
  await process.drive(Promise.all(range(50).map((n) => fixture.commit(n))));
  expect(writes).toBe(1);
  const first = fixture.commit(50);
  await process.drive(first, 0);
  await process.drive(Promise.all([first, ...range(20).map((n) => fixture.commit(51 + n))]));
  expect(writes).toBe(3);
  expect(await linesAfter(process)).toEqual(expectedLines(range(71)));
});

test('a batch may be reused as soon as append has returned', async () => {
  const { process, fixture } = start();
  const pending = fixture.commit(1);
  const later = fixture.commit(2);
  await process.drive(Promise.all([pending, later]));
  expect(await linesAfter(process)).toEqual(expectedLines([1, 2]));
});

test('a commit larger than a segment gets one of its own', async () => {
  const process = new SimProcess(new SimDisk(1));
  const fixture = new LogFixture(process, walOptions({ segmentBytes: 32_768, compression: 'none' }), 5000);
  for (const n of range(3)) await process.drive(fixture.commit(n));
  expect(await linesAfter(process)).toEqual(expectedLines(range(3), 5000));
});

test('a full disk fails the commits that wait, leaves no part of them, and goes on when there is room', async () => {
  for (let room = 0; room < 300; room += 7) {
    const { process, fixture } = start({ compression: 'none' }, room);
    for (const n of range(3)) await process.drive(fixture.commit(n));
    process.disk.capacityBytes = process.disk.usedBytes + room;
    const refused = await process.drive(Promise.allSettled([3, 13, 14].map((n) => fixture.commit(n))));
    expect(refused?.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(refused?.[0]).toMatchObject({
      reason: { code: 'unavailable', message: expect.stringMatching(/^write-ahead log: ENOSPC/) },
    });
    process.disk.capacityBytes = Infinity;
    for (const n of [4, 15]) await process.drive(fixture.commit(n));
    expect(fixture.writer.segmentIndex).toBe(0);
    expect(await linesAfter(process)).toEqual(expectedLines([0, 1, 2, 4, 15]));
  }
});

test('series of a failed commit are logged again by the next one that uses them', async () => {
  const { process, fixture } = start();
  process.disk.fail({ operation: 'write', after: 1, code: 'EIO' });
  await expect(process.drive(fixture.commit(0))).rejects.toThrow('EIO');
  await process.drive(fixture.commit(1));
  expect(await linesAfter(process)).toEqual(expectedLines([1]));
});

test('a segment that cannot be cut after a failed write is left for a new one', async () => {
  const { process, fixture } = start();
  await process.drive(fixture.commit(0));
  process.disk.fail({ operation: 'write', after: 1, code: 'EIO' });
  process.disk.fail({ operation: 'truncate', after: 1, code: 'EIO' });
  await expect(process.drive(fixture.commit(1))).rejects.toThrow('EIO');
  await process.drive(fixture.commit(2));
  expect(fixture.writer.segmentIndex).toBe(1);
  const lines = await linesAfter(process);
  expect(lines).toEqual(expectedLines([0, 2]));
});

test('a failed commit that reached into the next segment is taken out of both', async () => {
  for (const after of [1, 2]) {
    const { process, fixture } = start({ segmentBytes: 32_768, compression: 'none' });
    let n = 0;
    while (process.disk.usedBytes < 32_000) await process.drive(fixture.commit(n++));
    process.disk.fail({ operation: 'write', after, code: 'EIO' });
    const refused = await process.drive(Promise.allSettled(range(20).map((i) => fixture.commit(n + i))));
    expect(refused?.every(({ status }) => status === 'rejected')).toBe(true);
    await process.drive(fixture.commit(n + 30));
    expect(await linesAfter(process)).toEqual(expectedLines([...range(n), n + 30]));
  }
});

async function failSync(fsync: FsyncPolicy): Promise<{ process: SimProcess; fixture: LogFixture; error: unknown }> {
  const { process, fixture } = start({ fsync });
  await process.drive(fixture.commit(0));
  await process.advance(1000);
  process.disk.fail({ operation: 'sync', after: 1, code: 'EIO' });
  const error = await process.drive(
    fixture.commit(1).then(
      () => undefined,
      (failure: unknown) => failure,
    ),
  );
  await process.advance(1000);
  return { process, fixture, error };
}

test('a failed fsync ends the segment; under `commit` the commit fails and is not in the log', async () => {
  const { process, fixture, error } = await failSync('commit');
  expect(String(error)).toContain('EIO');
  await process.drive(fixture.commit(2));
  expect(fixture.writer.segmentIndex).toBe(1);
  expect(await linesAfter(process)).toEqual(expectedLines([0, 2]));
});

test('a failed fsync ends the segment; under `interval` nobody waits for it', async () => {
  const { process, fixture, error } = await failSync('interval');
  expect(error).toBeUndefined();
  expect(process.lines.some(({ message }) => message.includes('fsync of the write-ahead log failed'))).toBe(true);
  await process.drive(fixture.commit(2));
  expect(fixture.writer.segmentIndex).toBe(1);
  expect(await linesAfter(process)).toEqual(expectedLines([0, 1, 2]));
});

test('under `segment` nothing is synced until the segment ends or the log closes', async () => {
  const { process, fixture } = start({ fsync: 'segment' });
  process.disk.fail({ operation: 'sync', after: 1, code: 'EIO', isLasting: true });
  await process.drive(fixture.commit(0));
  await process.advance(10_000);
  await expect(process.drive(fixture.writer.close())).rejects.toThrow('EIO');
});

test('close writes what waits, then refuses', async () => {
  const { process, fixture } = start();
  const pending = fixture.commit(0);
  await process.drive(fixture.writer.close());
  await pending;
  await expect(process.drive(fixture.commit(1))).rejects.toThrow('the write-ahead log is closed');
  process.die('power');
  const next = new SimProcess(process.disk);
  const head = new ModelHead();
  await next.drive(replayInto(head, next));
  expect(head.lines()).toEqual(expectedLines([0]));
});

test('while the disk stands still, commits are refused beyond a bound', async () => {
  const { process, fixture } = start({ compression: 'none' });
  const outcomes = range(10).map(() =>
    fixture.writer
      .append(
        (out, endRecord) => {
          out.zeros(20 * 1024 * 1024);
          endRecord();
        },
        () => undefined,
      )
      .then(() => 'written', String),
  );
  const settled = await process.drive(Promise.all(outcomes));
  expect(settled?.filter((outcome) => outcome === 'written').length).toBe(4);
  expect(settled?.at(-1)).toContain('the disk is too slow');
});
