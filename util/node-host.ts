// The production Host: files through node:fs, the system's clocks, and the lock that Prometheus takes on a data directory.
// With engines free of all this, only this file and the composition (server, exporters) import node:fs and node:timers.
import { spawn } from 'node:child_process';
import { close, closeSync, fdatasync, fstat, ftruncate, open as openFile, read, write } from 'node:fs';
import { mkdir, open, readdir, readFile, readlink, rename, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { promisify } from 'node:util';
import { CodedError } from './errors.ts';
import type { Clock, DirectoryLock, FileHandle, FileStat, Fs, Host, Log, Random, TimerHandle } from './host.ts';

/** setTimeout takes no more; a longer wait is the caller's to repeat. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

/** The Host of a real process. Logs go to `log`. */
export function createNodeHost(log: Log): Host {
  return { clock: new NodeClock(), random: new NodeRandom(), log, fs: new NodeFs(log) };
}

class NodeClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(run: () => void, delayMs: number): TimerHandle {
    if (delayMs <= 0) {
      const immediate = setImmediate(run);
      return { cancel: () => clearImmediate(immediate) };
    }
    const timer = setTimeout(run, Math.min(delayMs, TIMER_MS_MAX));
    return { cancel: () => clearTimeout(timer) };
  }
}

class NodeRandom implements Random {
  next(): number {
    return Math.random();
  }
}

const closeAsync = promisify(close);
const fstatAsync = promisify(fstat);
const ftruncateAsync = promisify(ftruncate);
const fdatasyncAsync = promisify(fdatasync);

/** An open descriptor. Callbacks of node:fs cost a third of its promises' FileHandle (bench/wal.bench.ts). */
class NodeFile implements FileHandle {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Uint8Array, offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let from = 0;
      const next = (): void => {
        write(this.#descriptor, bytes, from, bytes.length - from, offset + from, (error, count) => {
          if (error) return reject(error);
          from += count;
          // A short write is what a disk that fills up gives; the next one then says so.
          if (from < bytes.length) next();
          else resolve();
        });
      };
      next();
    });
  }

  read(bytes: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor, bytes, 0, bytes.length, offset, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }

  sync(): Promise<void> {
    return fdatasyncAsync(this.#descriptor);
  }

  truncate(sizeBytes: number): Promise<void> {
    return ftruncateAsync(this.#descriptor, sizeBytes);
  }

  async sizeBytes(): Promise<number> {
    return (await fstatAsync(this.#descriptor)).size;
  }

  close(): Promise<void> {
    return closeAsync(this.#descriptor);
  }
}

const OPEN_FLAGS = { r: 'r', w: 'w+', rw: 'r+' } as const;

class NodeFs implements Fs {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  open(path: string, mode: 'r' | 'w' | 'rw'): Promise<FileHandle> {
    return new Promise((resolve, reject) => {
      openFile(path, OPEN_FLAGS[mode], FILE_MODE, (error, descriptor) => {
        if (error) reject(error);
        else resolve(new NodeFile(descriptor));
      });
    });
  }

  readFile(path: string): Promise<Uint8Array> {
    return readFile(path);
  }

  async list(path: string): Promise<string[]> {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      const { size, mtimeMs, ...rest } = await stat(path);
      return { sizeBytes: size, isDirectory: (rest.mode & 0o170000) === 0o040000, modifiedMs: mtimeMs };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async mkdir(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(path: string): Promise<void> {
    return rm(path, { recursive: true, force: true });
  }

  async syncDirectory(path: string): Promise<void> {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async diskSpace(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    const { bavail, blocks, bsize } = await statfs(path);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  }

  lockDirectory(path: string): Promise<DirectoryLock> {
    return lockDirectory(path, this.#log);
  }
}

/**
 * Takes the flock that Prometheus takes on `<path>/lock`, and an abstract socket named after the directory, which keeps
 * out a Narthex that has no util-linux (spec/reliability.md D7). The kernel frees both when the process ends, however it
 * ends. Rejects with `unavailable`, naming the lock file and its holder.
 */
async function lockDirectory(path: string, log: Log): Promise<DirectoryLock> {
  const file = `${path}/lock`;
  const lockFile = await new Promise<number>((resolve, reject) => {
    // Not truncated and not removed: the file itself says nothing, the lock on it does.
    openFile(file, 'a+', FILE_MODE, (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
  try {
    const answer = await flockByUtilLinux(lockFile);
    if (answer === 'taken') throw await takenError(file);
    const inode = await fstatAsync(lockFile);
    if (answer === 'missing') {
      log.warn({ path }, 'the flock command of util-linux is not there; the data directory is locked by a socket only');
      if (await isLockedByOther(inode)) throw await takenError(file);
    }
    const socket = await holdSocket(`\0narthex-${inode.dev}-${inode.ino}`);
    if (!socket) throw await takenError(file);
    return {
      async release() {
        await socket.release();
        await closeAsync(lockFile);
      },
    };
  } catch (error) {
    closeSync(lockFile);
    throw error;
  }
}

/**
 * flock(2) belongs to the open file, not to the process: the command locks our descriptor, handed to it as number 3, and
 * the lock stays with it here when the command has ended.
 */
function flockByUtilLinux(descriptor: number): Promise<'held' | 'taken' | 'missing'> {
  return new Promise((resolve) => {
    const child = spawn('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
    child.on('error', () => resolve('missing'));
    // 1 is flock's answer for a lock that is held; anything else (a busybox without this form, 64...) is no answer.
    child.on('exit', (code) => resolve(code === 0 ? 'held' : code === 1 ? 'taken' : 'missing'));
  });
}

/**
 * A lock on this file in the kernel's table: a Prometheus that has the directory open. File systems without a device of
 * their own (major 0: btrfs, overlay) are shown there under another number than stat gives, so the inode must do.
 */
async function isLockedByOther({ dev, ino }: { dev: number; ino: number }): Promise<boolean> {
  const major = Math.floor(dev / 256) % 4096;
  const minor = (dev % 256) + Math.floor(dev / 2 ** 20) * 256;
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '');
  return locks.split('\n').some((line) => {
    if (!line.includes('FLOCK')) return false;
    const [lineMajor = '', lineMinor = '', inode] = (line.split(/\s+/)[5] ?? '').split(':');
    if (inode !== String(ino)) return false;
    return Number(`0x${lineMajor}`) === 0 || (Number(`0x${lineMajor}`) === major && Number(`0x${lineMinor}`) === minor);
  });
}

/** Listens on an abstract Unix socket, which exists once per network namespace and dies with its process. */
function holdSocket(name: string): Promise<DirectoryLock | undefined> {
  if (process.platform !== 'linux') return Promise.resolve({ release: () => Promise.resolve() });
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => void socket.destroy());
    server.on('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen({ path: name }, () => {
      server.unref();
      resolve({ release: () => new Promise((done) => void server.close(() => done())) });
    });
  });
}

async function takenError(file: string): Promise<CodedError> {
  const holder = await findHolder(file);
  const by = holder === undefined ? 'another process' : `process ${holder}`;
  return new CodedError('unavailable', `the data directory is in use: ${by} holds the lock ${file}`);
}

/** The process that has the lock file open, if we may see it. */
async function findHolder(file: string): Promise<number | undefined> {
  const target = await stat(file);
  for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const link = `/proc/${pid}/fd/${descriptor}`;
      const name = await readlink(link).catch(() => '');
      if (!name.endsWith('/lock')) continue;
      const found = await stat(link).catch(() => undefined);
      if (found?.ino === target.ino && found.dev === target.dev) return Number(pid);
    }
  }
  return undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
