import { expect, test } from 'vitest';
import { DiskGuard } from '../../tsdb/disk-guard.ts';
import { SimDisk, SimProcess } from '../support/sim-host.ts';

const MIB = 1024 * 1024;

async function guarded(
  capacityBytes: number,
  minFreeBytes?: number,
): Promise<{ process: SimProcess; guard: DiskGuard }> {
  const disk = new SimDisk(1);
  disk.capacityBytes = capacityBytes;
  const process = new SimProcess(disk);
  const guard = new DiskGuard('data', minFreeBytes, process);
  await process.drive(guard.start());
  return { process, guard };
}

test('the default minimum is 1 % of the disk, at least 64 MiB and at most 1 GiB', async () => {
  for (const [total, minimum] of [
    [1024 * MIB, 64 * MIB],
    [20_000 * MIB, 200 * MIB],
    [1_000_000 * MIB, 1024 * MIB],
  ] as const) {
    for (const [free, isRefused] of [
      [minimum - 1, true],
      [minimum, false],
    ] as const) {
      const { process, guard } = await guarded(Infinity);
      process.fs.diskSpace = () => Promise.resolve({ freeBytes: free, totalBytes: total });
      await process.advance(2001);
      expect(guard.refusal !== undefined, `${free} of ${total}`).toBe(isRefused);
      guard.close();
    }
  }
});

test('below the minimum nothing is accepted, within two seconds of more space it is again, with one line per change', async () => {
  const { process, guard } = await guarded(100, 50);
  expect(guard.refusal).toBeUndefined();
  process.disk.capacityBytes = 49;
  await process.advance(10_000);
  expect(guard.refusal?.code).toBe('unavailable');
  expect(guard.refusal?.message).toBe(
    'storage is read-only: 49 bytes are free on the disk of data, fewer than the 50 of --storage.tsdb.min-free-disk',
  );
  process.disk.capacityBytes = 100;
  await process.advance(2005);
  expect(guard.refusal).toBeUndefined();
  expect(process.lines.map(({ level, facts }) => [level, facts['freeBytes']])).toEqual([
    ['error', 49],
    ['info', 100],
  ]);
  guard.close();
  process.disk.capacityBytes = 0;
  await process.advance(10_000);
  expect(guard.refusal).toBeUndefined();
});

test('a disk that does not answer is asked once, and refuses nothing', async () => {
  const { process, guard } = await guarded(100, 50);
  let asked = 0;
  process.fs.diskSpace = () => {
    asked++;
    return new Promise(() => undefined);
  };
  await process.advance(20_000);
  expect([asked, guard.refusal]).toEqual([1, undefined]);
  const failing = await guarded(100, 50);
  failing.process.fs.diskSpace = () => Promise.reject(new Error('stale handle'));
  await failing.process.advance(2005);
  expect(failing.process.lines[0]).toMatchObject({ level: 'warn', facts: { error: 'stale handle' } });
});
