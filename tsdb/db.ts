// The database: one data directory, one lock, one head, one write-ahead log. Opening it takes the lock and nothing else,
// so that a server can listen and answer 503 with progress while `replay` fills the head; then it takes commits.
// Threads: everything here belongs to the thread that owns the head; workers read through `share()`.
import type { Labels } from '../model/labels.ts';
import type { SampleBatch, SeriesRef } from '../model/sample.ts';
import type { Appender, CommitResult } from '../model/storage.ts';
import { CodedError, errorText } from '../util/errors.ts';
import type { DirectoryLock, Host } from '../util/host.ts';
import type { MetricRegistry } from '../util/metrics.ts';
import { DiskGuard } from './disk-guard.ts';
import { openHead, type HeadReader } from './head/head-querier.ts';
import { Head, type HeadStatus } from './head/head.ts';
import { createRecordCheck, replayWal, type ReplayProgress, type ReplayReport } from './head/replay.ts';
import type { HeadShare } from './head/tables.ts';
import { TsdbMetrics, type TsdbGauges } from './metrics.ts';
import type { DbOptions } from './options.ts';
import { WalCommitLog } from './wal/commit-log.ts';
import { findCheckpoint, listSegments } from './wal/reader.ts';
import { repairWal } from './wal/repair.ts';
import { PAGE_BYTES } from './wal/segment.ts';
import { WalWriter } from './wal/writer.ts';

/** What /api/v1/status/tsdb and the status page show of the head and the log. */
export interface DbStats extends HeadStatus {
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
  readonly #guard: DiskGuard;
  readonly #metrics: TsdbMetrics;
  readonly #stop = new AbortController();
  readonly #appender: DbAppender;
  readonly #reader: HeadReader;
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
    this.#head = new Head({ clock: host.clock, maxSeries: options.maxHeadSeries });
    this.#metrics = new TsdbMetrics(registry, () => this.#gauges());
    this.#appender = new DbAppender(this.#head, this.#guard, this.#metrics);
    this.#reader = openHead(this.#head.share(), this.#head.acquireReaderSlot());
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
  get queryable(): HeadReader {
    return this.#reader;
  }

  /** What a worker needs for `openHead`, with a reader slot of its own: post it by message, never as workerData. */
  share(): HeadShare {
    return this.#head.share();
  }

  /** One per reading thread. Throws `limit` when all are taken. */
  acquireReaderSlot(): number {
    return this.#head.acquireReaderSlot();
  }

  /** After the thread has ended: a terminated worker never gives its slot back itself. */
  releaseReaderSlot(slot: number): void {
    this.#head.releaseReaderSlot(slot);
  }

  stats(): DbStats {
    return {
      ...this.#head.status(),
      walBytes: this.#walBytes + this.#metrics.writtenBytes,
      walSegment: this.#writer?.segmentIndex ?? 0,
      readOnlyReason: this.#guard.refusal?.message,
    };
  }

  /** Ends replay or finishes the commits under way, syncs the log, gives the directory back. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#guard.close();
    this.#appender.close();
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
        segmentBytes: Math.max(1, Math.floor(options.walSegmentBytes / PAGE_BYTES)) * PAGE_BYTES,
        compression: options.walCompression,
        fsync: options.walFsync,
        fsyncIntervalMs: options.walFsyncIntervalMs,
      },
      this.#host,
      this.#metrics,
    );
    const labelsOf = (ref: SeriesRef): Labels => this.#head.labelsOf(ref);
    this.#head.setCommitLog(new WalCommitLog(this.#writer, labelsOf, report.logRefs, report.nextRef));
    this.#appender.open();
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

/** The head's appender behind a gate: shut until replay is done, after close, and while the disk is nearly full. */
class DbAppender implements Appender {
  readonly #head: Head;
  readonly #guard: DiskGuard;
  readonly #metrics: TsdbMetrics;
  #refusal: CodedError | undefined = new CodedError('unavailable', 'the write-ahead log is being replayed');

  constructor(head: Head, guard: DiskGuard, metrics: TsdbMetrics) {
    this.#head = head;
    this.#guard = guard;
    this.#metrics = metrics;
  }

  open(): void {
    this.#refusal = undefined;
  }

  close(): void {
    this.#refusal = new CodedError('unavailable', 'the database is closed');
  }

  seriesRef(labels: Labels): SeriesRef {
    return this.#head.seriesRef(labels);
  }

  labelsOf(ref: SeriesRef): Labels {
    return this.#head.labelsOf(ref);
  }

  async commit(batch: SampleBatch): Promise<CommitResult> {
    const refusal = this.#refusal ?? this.#guard.refusal;
    if (refusal) throw refusal;
    const result = await this.#head.commit(batch);
    this.#metrics.committed(result);
    return result;
  }
}
