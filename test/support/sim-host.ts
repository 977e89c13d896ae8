// A Host for simulation: a disk in memory that can crash, lose power, tear and reorder unsynced writes, fill up and fail;
// a virtual clock; seeded randomness. Whatever it does follows from its seed.
import type {
  Clock,
  DirectoryLock,
  FileHandle,
  FileStat,
  Fs,
  Host,
  Log,
  LogFacts,
  TimerHandle,
} from '../../util/host.ts';

const SECTOR_BYTES = 512;

/** Mulberry32: small, seeded, good enough to choose faults with. */
export class SimRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}

/** Virtual time: events run in order of their time when `step` is called. */
class SimClock implements Clock {
  #now = 1_700_000_000_000;
  #sequence = 0;
  #events: { at: number; sequence: number; run: () => void }[] = [];

  nowMs(): number {
    return Math.floor(this.#now);
  }

  monotonicMs(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): TimerHandle {
    const event = { at: this.#now + delayMs, sequence: this.#sequence++, run };
    this.#events.push(event);
    return { cancel: () => void (this.#events = this.#events.filter((other) => other !== event)) };
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    let next = this.#events[0];
    if (!next) return false;
    for (const event of this.#events) {
      if (event.at < next.at || (event.at === next.at && event.sequence < next.sequence)) next = event;
    }
    this.#events = this.#events.filter((event) => event !== next);
    this.#now = Math.max(this.#now, next.at);
    next.run();
    return true;
  }

  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  /** What a crash does to a process: nothing of it runs again. */
  clear(): void {
    this.#events = [];
  }
}

type Change = { readonly offset: number; readonly bytes: Uint8Array } | { readonly truncate: number };

/** A file's content as the process sees it, as it is on the platter, and the writes between the two. */
class SimInode {
  content: Uint8Array = new Uint8Array(0);
  durable: Uint8Array = new Uint8Array(0);
  changes: Change[] = [];
}

/** A change of names in one folder that is not on the platter until the folder is synced. */
interface NameChange {
  readonly folder: string;
  readonly undo: () => void;
}

export interface SimFault {
  readonly operation: 'read' | 'write' | 'sync' | 'truncate' | 'open' | 'rename';
  /** Fails the n-th such operation from now on, 1 for the next; all from it on when `isLasting`. */
  readonly after: number;
  readonly code: string;
  readonly isLasting?: boolean;
}

class SimError extends Error {
  readonly code: string;

  constructor(code: string, operation: string) {
    super(`${code}: simulated, ${operation}`);
    this.code = code;
  }
}

/** What is on the disk; outlives the processes that use it. */
export class SimDisk {
  readonly random: SimRandom;
  /** Free bytes, shared by all files; a write beyond it is cut short with ENOSPC. */
  capacityBytes = Infinity;
  readonly files = new Map<string, SimInode>();
  folders = new Set<string>(['']);
  lockedBy: symbol | undefined;
  nameChanges: NameChange[] = [];
  #faults: { fault: SimFault; left: number }[] = [];

  constructor(seed: number) {
    this.random = new SimRandom(seed);
  }

  fail(fault: SimFault): void {
    this.#faults.push({ fault, left: fault.after });
  }

  heal(): void {
    this.#faults = [];
  }

  /** Throws when a fault is due for this operation. */
  check(operation: SimFault['operation']): void {
    for (const entry of this.#faults) {
      if (entry.fault.operation !== operation) continue;
      entry.left--;
      if (entry.left === 0 || (entry.left < 0 && entry.fault.isLasting === true)) {
        throw new SimError(entry.fault.code, operation);
      }
    }
  }

  get usedBytes(): number {
    let used = 0;
    for (const inode of this.files.values()) used += inode.content.length;
    return used;
  }

  content(path: string): Uint8Array {
    const inode = this.files.get(path);
    if (!inode) throw new SimError('ENOENT', path);
    return inode.content;
  }

  /** Puts a file there, durably; a test's own damage. */
  put(path: string, bytes: Uint8Array): void {
    const inode = new SimInode();
    inode.content = bytes.slice();
    inode.durable = bytes.slice();
    this.files.set(path, inode);
  }

  /** The process dies; the kernel lives: every write that began is there, as far as it came. */
  kill(): void {
    this.lockedBy = undefined;
  }

  /**
   * Power is lost. Name changes since the last sync of their folder survive up to a random point; unsynced writes are
   * kept, dropped, or torn at a sector, each by itself.
   */
  losePower(): void {
    this.lockedBy = undefined;
    const kept = this.random.below(this.nameChanges.length + 1);
    for (let i = this.nameChanges.length - 1; i >= kept; i--) this.nameChanges[i]!.undo();
    this.nameChanges = [];
    for (const inode of new Set(this.files.values())) {
      let content = inode.durable;
      for (const change of inode.changes) {
        const survivor = this.#survivor(change);
        if (survivor) content = applied(content, survivor);
      }
      inode.content = content;
      inode.durable = content.slice();
      inode.changes = [];
    }
  }

  #survivor(change: Change): Change | undefined {
    const chance = this.random.next();
    if (chance < 0.4) return change;
    if (chance < 0.7) return undefined;
    if ('truncate' in change) return change;
    const sectors =
      Math.ceil((change.offset + change.bytes.length) / SECTOR_BYTES) - Math.floor(change.offset / SECTOR_BYTES);
    const end = (Math.floor(change.offset / SECTOR_BYTES) + this.random.below(sectors + 1)) * SECTOR_BYTES;
    const count = Math.max(0, Math.min(change.bytes.length, end - change.offset));
    return { offset: change.offset, bytes: change.bytes.subarray(0, count) };
  }
}

function applied(content: Uint8Array, change: Change): Uint8Array {
  if ('truncate' in change) {
    const out = new Uint8Array(change.truncate);
    out.set(content.subarray(0, change.truncate));
    return out;
  }
  if (change.bytes.length === 0) return content;
  const out = new Uint8Array(Math.max(content.length, change.offset + change.bytes.length));
  out.set(content);
  out.set(change.bytes, change.offset);
  return out;
}

class SimFile implements FileHandle {
  readonly #process: SimProcess;
  readonly #inode: SimInode;

  constructor(process: SimProcess, inode: SimInode) {
    this.#process = process;
    this.#inode = inode;
  }

  write(bytes: Uint8Array, offset: number): Promise<void> {
    const { disk } = this.#process;
    const began = bytes.slice();
    // The kernel takes a write in parts: one that a crash meets is there up to some byte.
    const half = disk.random.below(began.length + 1);
    return this.#process.operation(
      () => {
        disk.check('write');
        this.#put(began.subarray(half), offset + half);
      },
      () => this.#put(began.subarray(0, half), offset),
    );
  }

  read(bytes: Uint8Array, offset: number): Promise<number> {
    return this.#process.operation(() => {
      this.#process.disk.check('read');
      const part = this.#inode.content.subarray(offset, offset + bytes.length);
      bytes.set(part);
      return part.length;
    });
  }

  sync(): Promise<void> {
    const inode = this.#inode;
    const count = inode.changes.length;
    const { disk } = this.#process;
    return this.#process.operation(() => {
      const synced = inode.changes.splice(0, count);
      try {
        disk.check('sync');
      } catch (error) {
        // As Linux does: the pages count as clean from now on, whether or not they reached the disk.
        for (const change of synced) if (disk.random.next() < 0.5) inode.durable = applied(inode.durable, change);
        throw error;
      }
      for (const change of synced) inode.durable = applied(inode.durable, change);
    });
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#process.operation(() => {
      this.#process.disk.check('truncate');
      this.#change({ truncate: sizeBytes });
    });
  }

  sizeBytes(): Promise<number> {
    return this.#process.operation(() => this.#inode.content.length);
  }

  close(): Promise<void> {
    return this.#process.operation(() => undefined);
  }

  #put(bytes: Uint8Array, offset: number): void {
    const { disk } = this.#process;
    const growth = Math.max(0, offset + bytes.length - this.#inode.content.length);
    const free = disk.capacityBytes - disk.usedBytes;
    if (growth > free) {
      const fits = Math.max(0, bytes.length - (growth - Math.max(0, free)));
      this.#change({ offset, bytes: bytes.subarray(0, fits) });
      throw new SimError('ENOSPC', 'write');
    }
    this.#change({ offset, bytes });
  }

  #change(change: Change): void {
    this.#inode.changes.push(change);
    this.#inode.content = applied(this.#inode.content, change);
  }
}

/** One life of a process on a disk: after `die()` nothing of it happens any more. */
export class SimProcess implements Host {
  readonly disk: SimDisk;
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly fs: Fs;
  readonly lines: { level: string; facts: LogFacts; message: string }[] = [];
  readonly log: Log;
  #isDead = false;
  #started: (() => void)[] = [];

  constructor(disk: SimDisk) {
    this.disk = disk;
    this.random = disk.random;
    this.fs = new SimFs(this);
    const to =
      (level: string) =>
      (facts: LogFacts, message: string): void =>
        void this.lines.push({ level, facts, message });
    this.log = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
  }

  /** Runs `end` after a random virtual delay; `begin` first, where a crash may leave an operation half done. */
  operation<T>(end: () => T, begin?: () => void): Promise<T> {
    if (this.#isDead) return new Promise(() => undefined);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let hasBegun = false;
    const start = (): void => {
      if (hasBegun) return;
      hasBegun = true;
      begin?.();
    };
    if (begin) this.#started.push(start);
    this.clock.setTimer(() => {
      this.#started = this.#started.filter((other) => other !== start);
      try {
        start();
        resolve(end());
      } catch (error) {
        reject(error);
      }
    }, this.random.next() * 2);
    return promise;
  }

  /** Runs events until `promise` settles, or `events` of them have run (then undefined). */
  async drive<T>(promise: Promise<T>, events = Infinity): Promise<T | undefined> {
    let settled = false;
    const outcome = promise.then(
      (value) => {
        settled = true;
        return { value };
      },
      (error: unknown) => {
        settled = true;
        return { error };
      },
    );
    for (let i = 0; ; i++) {
      await turn();
      if (settled) break;
      if (i >= events) return undefined;
      if (!this.clock.step() && !(await this.#outside(() => settled))) throw new Error('the simulation waits in vain');
    }
    const result = await outcome;
    if ('error' in result) throw result.error;
    return result.value;
  }

  /** No event is due: work outside the simulation (zstd runs on a thread) may bring one. */
  async #outside(isSettled: () => boolean): Promise<boolean> {
    for (let i = 0; i < 500; i++) {
      await new Promise((resolve) => void setTimeout(resolve, 1));
      if (isSettled() || this.clock.hasEvents) return true;
    }
    return false;
  }

  /** Lets virtual time go by. */
  async advance(ms: number): Promise<void> {
    const until = this.clock.monotonicMs() + ms;
    await this.drive(new Promise<void>((resolve) => void this.clock.setTimer(resolve, ms)));
    if (this.clock.monotonicMs() < until) throw new Error('virtual time stood still');
  }

  /** Ends the process at once; operations that wait may have half happened. */
  die(how: 'kill' | 'power'): void {
    this.#isDead = true;
    this.clock.clear();
    for (const start of this.#started) {
      if (this.random.next() >= 0.5) continue;
      try {
        start();
      } catch {
        // A disk that is full takes less of it.
      }
    }
    if (how === 'kill') this.disk.kill();
    else this.disk.losePower();
  }
}

class SimFs implements Fs {
  readonly #process: SimProcess;
  readonly #disk: SimDisk;

  constructor(process: SimProcess) {
    this.#process = process;
    this.#disk = process.disk;
  }

  open(path: string, mode: 'r' | 'w' | 'rw'): Promise<FileHandle> {
    return this.#process.operation(() => {
      if (mode !== 'r') this.#disk.check('open');
      let inode = this.#disk.files.get(path);
      if (mode === 'w' && inode) {
        inode.changes.push({ truncate: 0 });
        inode.content = new Uint8Array(0);
      } else if (mode === 'w') {
        inode = new SimInode();
        this.#names(path, () => this.#disk.files.set(path, inode!));
      }
      if (!inode) throw new SimError('ENOENT', path);
      return new SimFile(this.#process, inode);
    });
  }

  readFile(path: string): Promise<Uint8Array> {
    return this.#process.operation(() => this.#disk.content(path).slice());
  }

  list(path: string): Promise<string[]> {
    return this.#process.operation(() => {
      const names = new Set<string>();
      for (const known of [...this.#disk.files.keys(), ...this.#disk.folders]) {
        if (known.startsWith(`${path}/`)) names.add(known.slice(path.length + 1).split('/')[0]!);
      }
      return [...names].sort();
    });
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#process.operation(() => {
      const inode = this.#disk.files.get(path);
      if (inode) return { sizeBytes: inode.content.length, isDirectory: false, modifiedMs: 0 };
      return this.#disk.folders.has(path) ? { sizeBytes: 0, isDirectory: true, modifiedMs: 0 } : undefined;
    });
  }

  mkdir(path: string): Promise<void> {
    return this.#process.operation(() => {
      const parts = path.split('/');
      for (let i = 1; i <= parts.length; i++) this.#disk.folders.add(parts.slice(0, i).join('/'));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#process.operation(() => {
      this.#disk.check('rename');
      const inode = this.#disk.files.get(from);
      if (!inode) throw new SimError('ENOENT', from);
      this.#names(to, () => {
        this.#disk.files.delete(from);
        this.#disk.files.set(to, inode);
      });
    });
  }

  remove(path: string): Promise<void> {
    return this.#process.operation(() => {
      this.#names(path, () => {
        for (const known of this.#disk.files.keys()) {
          if (known === path || known.startsWith(`${path}/`)) this.#disk.files.delete(known);
        }
      });
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.#process.operation(() => {
      this.#disk.nameChanges = this.#disk.nameChanges.filter(({ folder }) => folder !== path);
    });
  }

  diskSpace(): Promise<{ freeBytes: number; totalBytes: number }> {
    return this.#process.operation(() => {
      const totalBytes = Math.min(this.#disk.capacityBytes, 2 ** 50);
      return { freeBytes: Math.max(0, totalBytes - this.#disk.usedBytes), totalBytes };
    });
  }

  lockDirectory(): Promise<DirectoryLock> {
    return this.#process.operation(() => {
      if (this.#disk.lockedBy !== undefined) throw new SimError('EWOULDBLOCK', 'lock');
      const holder = Symbol('lock');
      this.#disk.lockedBy = holder;
      return {
        release: () =>
          this.#process.operation(() => {
            if (this.#disk.lockedBy === holder) this.#disk.lockedBy = undefined;
          }),
      };
    });
  }

  /** Changes names, remembering what stood under each that changed. */
  #names(path: string, change: () => void): void {
    const before = new Map(this.#disk.files);
    change();
    const { files } = this.#disk;
    const touched = [...new Set([...before.keys(), ...files.keys()])].filter(
      (name) => before.get(name) !== files.get(name),
    );
    const undo = (): void => {
      for (const name of touched) {
        const inode = before.get(name);
        if (inode) files.set(name, inode);
        else files.delete(name);
      }
    };
    this.#disk.nameChanges.push({ folder: path.slice(0, path.lastIndexOf('/')), undo });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
