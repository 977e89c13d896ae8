// The database: one data directory, one lock, one head, one write-ahead log. Opening it takes the lock and nothing else,
// so that a server can listen and answer 503 with progress while `replay` fills the head; then it takes commits.
// Threads: everything here belongs to the thread that owns the head; workers read through `share()`.
import type { SampleBatch } from '../model/sample.ts';
import type { Appender, CommitResult, Queryable } from '../model/storage.ts';
import { CodedError, errorText } from '../util/errors.ts';
import type { DirectoryLock, Host } from '../util/host.ts';
import type { MetricRegistry } from '../util/metrics.ts';
import { DiskGuard } from './disk-guard.ts';
import type { CommitLog } from './head/appender.ts';
import { Head, type HeadShare } from './head/head.ts';
import { createRecordCheck, replayWal, type ReplayProgress, type ReplayReport } from './head/replay.ts';
import { TsdbMetrics, type TsdbGauges } from './metrics.ts';
import type { DbOptions } from './options.ts';
import { WalCommitLog } from './wal/commit-log.ts';
import { findCheckpoint, listSegments } from './wal/reader.ts';
import { repairWal } from './wal/repair.ts';
import { PAGE_BYTES } from './wal/segment.ts';
import { WalWriter } from './wal/writer.ts';

/** What /api/v1/status/tsdb and the status page show of the head and the log. */
export interface DbStats {
  readonly seriesCount: number;
  /** ms; minTime above maxTime when there are no samples. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly walBytes: number;
  readonly walSegment: number;
  /** Why no samples are accepted; undefined when they are. */
  readonly readOnlyReason: string | undefined;
}

export class Db {
  readonly #options: DbOptions;
  readonly #host: Host;
  readonly #lock: DirectoryLock | undefined;
  readonly #head: Head;
  readonly #log: GatedLog;
  readonly #guard: DiskGuard;
  readonly #metrics: TsdbMetrics;
  readonly #stop = new AbortController();
  readonly #appender: Appender;
  #writer: WalWriter | undefined;
  #replaying: Promise<ReplayReport> | undefined;
  #progress: ReplayProgress | undefined;
  #walBytes = 0;

  /** Use `Db.open`. */
  private constructor(options: DbOptions, host: Host, registry: MetricRegistry, lock: DirectoryLock | undefined) {
    this.#options = options;
    this.#host = host;
    this.#lock = lock;
    this.#guard = new DiskGuard(options.path, options.minFreeBytes, host);
    this.#log = new GatedLog(this.#guard);
    this.#head = new Head({ maxSeries: options.maxHeadSeries }, this.#log);
    this.#metrics = new TsdbMetrics(registry, () => this.#gauges());
    this.#appender = new CountingAppender(this.#head.appender, this.#metrics);
  }

  /**
   * Takes the directory, which is created when missing. Rejects with `unavailable`, in one line for the user, when it
   * cannot be written or another process holds it. Nothing is read yet: call `replay`.
   */
  static async open(options: DbOptions, host: Host, registry: MetricRegistry): Promise<Db> {
    const { path } = options;
    try {
      await host.fs.mkdir(`${path}/wal`);
      await host.fs.syncDirectory(path);
      const lock = options.noLockfile ? undefined : await host.fs.lockDirectory(path);
      return new Db(options, host, registry, lock);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      throw new CodedError('unavailable', `cannot use the data directory ${path}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Fills the head from the log, repairs what was damaged, and opens the log for commits; until then a commit is refused.
   * Called once. Yields to other work every few milliseconds; `close` ends it early.
   */
  replay(onProgress: (progress: ReplayProgress) => void = () => undefined): Promise<ReplayReport> {
    this.#replaying ??= this.#replay(onProgress);
    return this.#replaying;
  }

  /** Where replay is; undefined before it began. */
  get replayProgress(): ReplayProgress | undefined {
    return this.#progress;
  }

  get appender(): Appender {
    return this.#appender;
  }

  /** Reads on this thread. */
  get queryable(): Queryable {
    return this.#head.queryable;
  }

  /** What a worker needs to read the same head; sent to it in a message. */
  share(): HeadShare {
    return this.#head.share();
  }

  stats(): DbStats {
    const { seriesCount, minTime, maxTime } = this.#head.stats();
    return {
      seriesCount,
      minTime,
      maxTime,
      walBytes: this.#walBytes + this.#metrics.writtenBytes,
      walSegment: this.#writer?.segmentIndex ?? 0,
      readOnlyReason: this.#guard.refusal?.message,
    };
  }

  /** Ends replay or finishes the commits under way, syncs the log, gives the directory back. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#guard.close();
    this.#log.close();
    try {
      await this.#replaying?.catch(() => undefined);
      await this.#writer?.close();
    } finally {
      await this.#lock?.release();
    }
  }

  async #replay(onProgress: (progress: ReplayProgress) => void): Promise<ReplayReport> {
    const { path } = this.#options;
    const folder = `${path}/wal`;
    await this.#removeTemporary(folder);
    const report = await replayWal(
      folder,
      this.#head,
      this.#host,
      (progress) => {
        this.#progress = progress;
        onProgress(progress);
      },
      this.#stop.signal,
    );
    const quarantined = await repairWal(path, report.segments, createRecordCheck(), this.#host);
    this.#metrics.replayed(report, quarantined);
    this.#report(report);
    for (const { sizeBytes } of report.segments) this.#walBytes += sizeBytes;
    await this.#guard.start();
    await this.#openLog(folder, report);
    return report;
  }

  async #openLog(folder: string, report: ReplayReport): Promise<void> {
    const options = this.#options;
    const last = (await listSegments(this.#host.fs, folder)).at(-1) ?? (await findCheckpoint(this.#host.fs, folder));
    this.#writer = new WalWriter(
      {
        folder,
        firstSegment: last ? last.index + 1 : 0,
        segmentBytes: Math.floor(options.walSegmentBytes / PAGE_BYTES) * PAGE_BYTES,
        compression: options.walCompression,
        fsync: options.walFsync,
        fsyncIntervalMs: options.walFsyncIntervalMs,
      },
      this.#host,
      this.#metrics,
    );
    const labelsOf = this.#head.appender.labelsOf.bind(this.#head.appender);
    this.#log.open(new WalCommitLog(this.#writer, labelsOf, report.logRefs, report.nextRef));
  }

  /** What a repair that was interrupted left: never live. */
  async #removeTemporary(folder: string): Promise<void> {
    for (const name of await this.#host.fs.list(folder)) {
      if (name.endsWith('.tmp')) await this.#host.fs.remove(`${folder}/${name}`);
    }
  }

  #report(report: ReplayReport): void {
    const { seriesCount, sampleCount, durationMs, unresolvedSampleCount, rejectedSampleCount } = report;
    const facts = { segments: report.segments.length, seriesCount, sampleCount, durationMs: Math.round(durationMs) };
    this.#host.log.info(facts, 'write-ahead log replayed');
    if (unresolvedSampleCount > 0) {
      this.#host.log.warn({ samples: unresolvedSampleCount }, 'samples of lost series were dropped at replay');
    }
    if (rejectedSampleCount > 0) {
      this.#host.log.warn({ samples: rejectedSampleCount }, 'samples of the write-ahead log were refused by the head');
    }
  }

  #gauges(): TsdbGauges {
    const stats = this.stats();
    // No series leaves the head yet: those that are there are all that were made.
    return { ...stats, createdSeriesCount: stats.seriesCount, maxHeadSeries: this.#options.maxHeadSeries };
  }
}

/** The log as the head sees it: shut until replay is done, and while the disk is nearly full. */
class GatedLog implements CommitLog {
  readonly #guard: DiskGuard;
  #log: CommitLog | undefined;
  #isClosed = false;

  constructor(guard: DiskGuard) {
    this.#guard = guard;
  }

  open(log: CommitLog): void {
    this.#log = log;
  }

  close(): void {
    this.#isClosed = true;
  }

  append(...[series, batch]: Parameters<CommitLog['append']>): Promise<void> {
    const refusal = this.#refusal();
    return refusal || !this.#log ? Promise.reject(refusal) : this.#log.append(series, batch);
  }

  #refusal(): CodedError | undefined {
    if (this.#isClosed) return new CodedError('unavailable', 'the database is closed');
    if (!this.#log) return new CodedError('unavailable', 'the write-ahead log is being replayed');
    return this.#guard.refusal;
  }
}

/** Counts what commits did. */
class CountingAppender implements Appender {
  readonly #appender: Appender;
  readonly #metrics: TsdbMetrics;

  constructor(appender: Appender, metrics: TsdbMetrics) {
    this.#appender = appender;
    this.#metrics = metrics;
  }

  seriesRef(...args: Parameters<Appender['seriesRef']>): ReturnType<Appender['seriesRef']> {
    return this.#appender.seriesRef(...args);
  }

  labelsOf(...args: Parameters<Appender['labelsOf']>): ReturnType<Appender['labelsOf']> {
    return this.#appender.labelsOf(...args);
  }

  async commit(batch: SampleBatch): Promise<CommitResult> {
    const result = await this.#appender.commit(batch);
    this.#metrics.committed(result);
    return result;
  }
}
