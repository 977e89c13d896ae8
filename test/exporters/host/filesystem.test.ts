import { describe, expect, test } from 'vitest';
import { FilesystemStats } from '../../../exporters/host/filesystem.ts';
import type { FilesystemUsage } from '../../../exporters/host/filesystem.ts';
import { parseMountinfo } from '../../../exporters/host/mounts.ts';

const USAGE: FilesystemUsage = { sizeBytes: 100, freeBytes: 50, availBytes: 40, files: 10, filesFree: 5 };
const never = new Promise<FilesystemUsage>(() => undefined);

describe('file systems', () => {
  test('a mount that hangs costs one limited wait and is then reported at once', async () => {
    const calls: string[] = [];
    const stats = new FilesystemStats((path) => {
      calls.push(path);
      return path === '/dead' ? never : Promise.resolve(USAGE);
    }, 30);
    const first = await stats.read(['/', '/dead', '/data']);
    expect([...first]).toEqual([
      ['/', USAGE],
      ['/dead', 'timeout'],
      ['/data', USAGE],
    ]);
    const start = performance.now();
    expect((await stats.read(['/', '/dead'])).get('/dead')).toBe('timeout');
    expect(performance.now() - start).toBeLessThan(20);
    expect(calls.filter((path) => path === '/dead')).toHaveLength(1);
  });

  test('many dead mounts hold two threads at most', async () => {
    let pending = 0;
    const stats = new FilesystemStats(() => {
      pending++;
      return never;
    }, 10);
    const mounts = Array.from({ length: 20 }, (_, i) => `/nfs${i}`);
    for (let i = 0; i < 3; i++) {
      const answers = await stats.read(mounts);
      expect([...answers.values()].every((answer) => answer === 'timeout')).toBe(true);
    }
    expect(pending).toBe(2);
  });

  test('an error is said in words', async () => {
    const denied = Object.assign(new Error('EACCES: permission denied, statfs'), { code: 'EACCES' });
    const stats = new FilesystemStats(() => Promise.reject(denied), 100);
    expect((await stats.read(['/root'])).get('/root')).toBe('permission denied');
  });

  test('mountinfo: escapes, optional fields, read-only', () => {
    const [a, b] = parseMountinfo(
      '36 35 98:0 / /my\\040disk rw,noatime shared:1 master:2 - ext4 /dev/sda1 ro,errors=continue\n' +
        '37 35 0:5 /sub /a\\134b rw - tmpfs tmp\\011fs rw\nnonsense\n',
    );
    expect(a).toMatchObject({
      mountpoint: '/my disk',
      device: '/dev/sda1',
      fstype: 'ext4',
      major: '98',
      isReadonly: true,
    });
    expect(b).toMatchObject({ mountpoint: '/a\\b', device: 'tmp\tfs', root: '/sub', isReadonly: false });
  });
});
