// The outside world as ports. Engines (tsdb, promql, scraper) see time, files, randomness and logs only through these,
// so the same code runs in production, in a worker and in the seeded fault simulation (test/support/sim-host.ts).

/** A timer that was started; `cancel` is idempotent. */
export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, integer milliseconds since the epoch. May jump. */
  nowMs(): number;
  /** Monotonic clock, fractional milliseconds since an arbitrary start. Never goes back. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs` (0 is the next turn). */
  setTimer(run: () => void, delayMs: number): TimerHandle;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

export type LogFacts = Readonly<Record<string, unknown>>;

/** Constant lower-case message, facts as fields. */
export interface Log {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  warn(facts: LogFacts, message: string): void;
  error(facts: LogFacts, message: string): void;
}

export interface FileStat {
  readonly sizeBytes: number;
  readonly isDirectory: boolean;
  readonly modifiedMs: number;
}

/** An open file. Offsets are bytes from the start. */
export interface FileHandle {
  /** Writes all of `bytes` at `offset`; rejects with the system's error when it cannot. `bytes` is lent until then. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Reads up to `bytes.length` bytes at `offset`; returns how many, 0 at the end. */
  read(bytes: Uint8Array, offset: number): Promise<number>;
  /** fdatasync. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** A lock held on a directory until released or the process ends. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/** All disk access of the engines. Errors carry the system's `code` (ENOSPC, EIO, ENOENT...). */
export interface Fs {
  /** `r` must exist; `w` is created or truncated, readable too; `rw` must exist, is read and written in place. */
  open(path: string, mode: 'r' | 'w' | 'rw'): Promise<FileHandle>;
  /** The whole file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Names in a directory, sorted; [] when it does not exist. */
  list(path: string): Promise<string[]>;
  stat(path: string): Promise<FileStat | undefined>;
  mkdir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole directory; nothing happens when it is not there. */
  remove(path: string): Promise<void>;
  /** fsync of a directory, so that created, renamed and removed names are durable. */
  syncDirectory(path: string): Promise<void>;
  /** Of the file system that holds `path`: bytes this process may still write, and its size. */
  diskSpace(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  /** Takes Prometheus' own lock (flock on `<dir>/lock`); rejects when another process holds it. */
  lockDirectory(path: string): Promise<DirectoryLock>;
}

/** Everything nondeterministic an engine may use. */
export interface Host {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fs: Fs;
}
