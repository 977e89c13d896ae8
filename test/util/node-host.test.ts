import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createNodeHost } from '../../util/node-host.ts';

const root = mkdtempSync(join(tmpdir(), 'narthex-host-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const warnings: string[] = [];
const silent = () => undefined;
const host = createNodeHost({
  debug: silent,
  info: silent,
  warn: (_, text) => void warnings.push(text),
  error: silent,
});
const { fs, clock } = host;

test('a file is written at offsets, read, cut, synced and measured', async () => {
  const path = join(root, 'file');
  const file = await fs.open(path, 'w');
  await file.write(Uint8Array.of(1, 2, 3, 4), 0);
  await file.write(Uint8Array.of(9), 2);
  await file.sync();
  await file.truncate(3);
  expect(await file.sizeBytes()).toBe(3);
  const out = new Uint8Array(8);
  expect([await file.read(out, 1), out[0], out[1]]).toEqual([2, 2, 9]);
  expect(await file.read(out, 3)).toBe(0);
  await file.close();
  expect([...(await fs.readFile(path))]).toEqual([1, 2, 9]);
  expect(statSync(path).mode & 0o777).toBe(0o640 & ~process.umask());
  const again = await fs.open(path, 'rw');
  await again.write(Uint8Array.of(7), 1);
  await again.close();
  expect([...(await fs.readFile(path))]).toEqual([1, 7, 9]);
  expect((await fs.stat(path))?.sizeBytes).toBe(3);
});

test('names are listed, renamed and removed; what is not there is no error where the contract says so', async () => {
  const folder = join(root, 'a/b');
  await fs.mkdir(folder);
  await fs.mkdir(folder);
  for (const name of ['2', '1']) await (await fs.open(join(folder, name), 'w')).close();
  expect(await fs.list(folder)).toEqual(['1', '2']);
  await fs.rename(join(folder, '1'), join(folder, '3'));
  await fs.syncDirectory(folder);
  expect(await fs.list(folder)).toEqual(['2', '3']);
  expect((await fs.stat(folder))?.isDirectory).toBe(true);
  await fs.remove(join(root, 'a'));
  await fs.remove(join(root, 'a'));
  expect([await fs.list(folder), await fs.stat(folder)]).toEqual([[], undefined]);
  await expect(fs.open(join(folder, 'x'), 'r')).rejects.toMatchObject({ code: 'ENOENT' });
  const { freeBytes, totalBytes } = await fs.diskSpace(root);
  expect(freeBytes).toBeGreaterThan(0);
  expect(totalBytes).toBeGreaterThanOrEqual(freeBytes);
});

test('timers fire once, can be cancelled, and 0 is the next turn', async () => {
  const fired: string[] = [];
  clock.setTimer(() => void fired.push('cancelled'), 5).cancel();
  clock.setTimer(() => void fired.push('cancelled'), 0).cancel();
  await new Promise<void>((resolve) => void clock.setTimer(resolve, 0));
  const before = clock.monotonicMs();
  await new Promise<void>((resolve) => void clock.setTimer(resolve, 20));
  expect(clock.monotonicMs() - before).toBeGreaterThan(15);
  expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1000);
  expect(fired).toEqual([]);
});

test('a locked directory is refused until it is released; a lock file that was left over is no lock', async () => {
  const folder = join(root, 'locked');
  await fs.mkdir(folder);
  writeFileSync(join(folder, 'lock'), 'left over');
  const lock = await fs.lockDirectory(folder);
  const refused = fs.lockDirectory(folder);
  await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  await expect(refused).rejects.toThrow(/the data directory is in use: .* holds the lock .*locked\/lock/);
  await lock.release();
  await (await fs.lockDirectory(folder)).release();
  expect(readdirSync(folder)).toEqual(['lock']);
});

/** Holds the lock in a process of its own until it is killed; `path` is its PATH. */
async function holder(folder: string, path: string): Promise<{ pid: number; kill(): Promise<void> }> {
  const source = fileURLToPath(new URL('../../util/node-host.ts', import.meta.url));
  const script = `const { createNodeHost } = await import(${JSON.stringify(source)});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    await createNodeHost(log).fs.lockDirectory(${JSON.stringify(folder)});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => void child.on('exit', () => resolve()));
  await Promise.race([new Promise((resolve) => void child.stdout.once('data', resolve)), ended]);
  return {
    pid: child.pid!,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('another process is kept out and named, with util-linux and without it; its death frees the lock', async () => {
  for (const path of [process.env['PATH']!, '/nowhere']) {
    const folder = join(root, `other-${path.length}`);
    await fs.mkdir(folder);
    const other = await holder(folder, path);
    await expect(fs.lockDirectory(folder)).rejects.toThrow(`process ${other.pid} holds the lock`);
    await other.kill();
    await (await fs.lockDirectory(folder)).release();
  }
});

test('without util-linux, a flock that another server holds is seen in the kernel’s table', async () => {
  const folder = join(root, 'theirs');
  await fs.mkdir(folder);
  const theirs = spawn('flock', ['-n', join(folder, 'lock'), 'sleep', '30'], { stdio: 'ignore' });
  for (let i = 0; i < 200 && readdirSync(folder).length === 0; i++) await new Promise((r) => setTimeout(r, 10));
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    await new Promise((r) => setTimeout(r, 50));
    await expect(fs.lockDirectory(folder)).rejects.toThrow('holds the lock');
    expect(warnings.some((text) => text.includes('flock command'))).toBe(true);
  } finally {
    process.env['PATH'] = path;
    theirs.kill();
  }
});
