import { assert } from '../../util/assert.ts';
import { ByteWriter } from '../../util/bytes.ts';
import { snappyCompress, zstdPack } from '../../util/compress.ts';
import { CodedError, errorText } from '../../util/errors.ts';
import type { FileHandle, Host, TimerHandle } from '../../util/host.ts';
import type { FsyncPolicy } from '../options.ts';
import { framedSize, frameRecord, PAGE_BYTES, paddingToPage, type RecordCompression } from './segment.ts';

/** Commits wait in memory up to this much while the disk is slow; beyond it they are refused. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** A buffer that one huge commit made larger than this is given back. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** The fsync of the interval policy starts after this part of the interval, so that it has ended when the interval has. */
const INTERVAL_PART = 0.75;

export interface WalWriterOptions {
  /** The `wal` folder; it exists. */
  readonly folder: string;
  /** Number of the first segment to write; greater than any that is there. */
  readonly firstSegment: number;
  /** A multiple of the page size. */
  readonly segmentBytes: number;
  readonly compression: RecordCompression;
  readonly fsync: FsyncPolicy;
  readonly fsyncIntervalMs: number;
}

/** What the writer did, for metrics; times in seconds. */
export interface WalObserver {
  written(bytes: number): void;
  synced(seconds: number): void;
  syncFailed(): void;
  writeFailed(): void;
  segmentStarted(index: number): void;
}

/** Records to be written together: one commit's, whole or absent after a crash only as far as each record is. */
class Group {
  /** Records one after the other, not yet compressed. */
  bytes = new ByteWriter(64 * 1024);
  /** Where each record ends in `bytes`. */
  readonly ends: number[] = [];
  readonly waiters: Waiter[] = [];

  clear(): void {
    if (this.bytes.bytes.length > KEPT_BYTES_MAX) this.bytes = new ByteWriter(64 * 1024);
    this.bytes.clear();
    this.ends.length = 0;
    this.waiters.length = 0;
  }
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
  /** Runs before any waiter learns of the failure. */
  undo(): void;
}

interface OpenSegment {
  readonly index: number;
  readonly file: FileHandle;
  /** Everything before is whole records; nothing after it counts. */
  sizeBytes: number;
  /** Written to since the last fsync began. */
  isDirty: boolean;
  /** Set by a failed fsync or a failed cut: nothing more is written to this file. */
  isBroken: boolean;
  /** An fsync failed: another would say that all is well, and mean only what was written since. */
  hasFailedSync: boolean;
}

/**
 * Appends records to numbered segments. Commits that arrive while a write is under way go out together in the next one.
 * After a failed write the segment is cut back to its last whole record, and every commit that waited fails with it:
 * each may build on the one before. A failed fsync ends the segment; it is never tried again on that file (D5, F3).
 */
export class WalWriter {
  readonly #options: WalWriterOptions;
  readonly #host: Host;
  readonly #observer: WalObserver;
  #filling = new Group();
  #flushing = new Group();
  readonly #framed = new ByteWriter(64 * 1024);
  #segment: OpenSegment | undefined;
  #nextIndex: number;
  #running: Promise<void> | undefined;
  #syncTimer: TimerHandle | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: WalWriterOptions, host: Host, observer: WalObserver) {
    assert(options.segmentBytes % PAGE_BYTES === 0, 'segment size in whole pages');
    this.#options = options;
    this.#host = host;
    this.#observer = observer;
    this.#nextIndex = options.firstSegment;
  }

  /** Number of the segment being written, or of the last one written. */
  get segmentIndex(): number {
    return this.#nextIndex - 1;
  }

  /**
   * Logs what `encode` writes, in order; it is called once, before this returns, with a function that ends a record.
   * Resolves when the records are written as the fsync policy asks. Rejects with the disk's error; then they are not
   * in the log, and `undo` was called before any commit learned of it.
   */
  append(encode: (out: ByteWriter, endRecord: () => void) => void, undo: () => void): Promise<void> {
    if (this.#isClosed) return Promise.reject(new CodedError('unavailable', 'the write-ahead log is closed'));
    const group = this.#filling;
    if (group.bytes.length > PENDING_BYTES_MAX) {
      const text = `the disk is too slow: ${group.bytes.length} bytes wait to be written to the write-ahead log`;
      return Promise.reject(new CodedError('unavailable', text));
    }
    const { bytes, ends } = group;
    const [length, count] = [bytes.length, ends.length];
    try {
      encode(bytes, () => void ends.push(bytes.length));
    } catch (error) {
      bytes.length = length;
      ends.length = count;
      return Promise.reject(error);
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    group.waiters.push({ resolve, reject, undo });
    this.#running ??= this.#run();
    return promise;
  }

  /** Writes and fsyncs what waits, and closes the segment. Rejects with the disk's error. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    this.#syncTimer?.cancel();
    await this.#endSegment(true);
  }

  async #run(): Promise<void> {
    // A turn later: commits of the same turn go out in one write.
    await Promise.resolve();
    while (this.#filling.waiters.length > 0) {
      const group = this.#filling;
      this.#filling = this.#flushing;
      this.#flushing = group;
      try {
        await this.#write(group);
        for (const waiter of group.waiters) waiter.resolve();
      } catch (error) {
        this.#observer.writeFailed();
        this.#fail([...group.waiters, ...this.#filling.waiters], writeError(error));
        this.#filling.clear();
      }
      group.clear();
    }
    this.#running = undefined;
  }

  #fail(waiters: readonly Waiter[], error: CodedError): void {
    for (const waiter of waiters) waiter.undo();
    for (const waiter of waiters) waiter.reject(error);
  }

  async #write(group: Group): Promise<void> {
    const started: { segment: OpenSegment; sizeBytes: number }[] = [];
    try {
      let from = 0;
      for (const end of group.ends) {
        const record = group.bytes.bytes.subarray(from, end);
        from = end;
        const [stored, compression] = await this.#compressed(record);
        const segment = await this.#segmentFor(stored.length);
        if (started.at(-1)?.segment !== segment) started.push({ segment, sizeBytes: segment.sizeBytes });
        frameRecord(this.#framed, segment.sizeBytes, stored, compression);
      }
      await this.#flush();
      if (this.#options.fsync === 'commit' && this.#segment) await this.#sync(this.#segment);
    } catch (error) {
      this.#framed.clear();
      for (const { segment, sizeBytes } of started) await this.#cut(segment, sizeBytes);
      throw error;
    }
    if (this.#options.fsync === 'interval') this.#armSync();
  }

  async #compressed(record: Uint8Array): Promise<[Uint8Array, RecordCompression]> {
    const { compression } = this.#options;
    if (compression === 'none') return [record, 'none'];
    const packed = compression === 'snappy' ? snappyCompress(record) : await zstdPack(record);
    return packed.length < record.length ? [packed, compression] : [record, 'none'];
  }

  /** The segment that takes a record of this size next; begins one where the current is full, broken or not there. */
  async #segmentFor(sizeBytes: number): Promise<OpenSegment> {
    const current = this.#segment;
    if (current && !current.isBroken) {
      const offset = current.sizeBytes + this.#framed.length;
      const isFresh = offset === 0;
      if (isFresh || offset + framedSize(offset, sizeBytes) <= this.#options.segmentBytes) return current;
      this.#framed.zeros(paddingToPage(offset));
      await this.#flush();
    }
    await this.#endSegment(this.#options.fsync === 'commit');
    return this.#beginSegment();
  }

  /** Writes what was framed for the current segment. */
  async #flush(): Promise<void> {
    const segment = this.#segment;
    const bytes = this.#framed.written();
    if (!segment || bytes.length === 0) return;
    segment.isDirty = true;
    await segment.file.write(bytes, segment.sizeBytes);
    segment.sizeBytes += bytes.length;
    this.#observer.written(bytes.length);
    this.#framed.clear();
  }

  async #beginSegment(): Promise<OpenSegment> {
    const { folder } = this.#options;
    const index = this.#nextIndex;
    const path = `${folder}/${segmentName(index)}`;
    const file = await this.#host.fs.open(path, 'w');
    this.#nextIndex = index + 1;
    const segment: OpenSegment = { index, file, sizeBytes: 0, isDirty: false, isBroken: false, hasFailedSync: false };
    this.#segment = segment;
    await this.#host.fs.syncDirectory(folder);
    this.#observer.segmentStarted(index);
    return segment;
  }

  /** Syncs and closes the current segment. A failed fsync is thrown when `isStrict`. */
  async #endSegment(isStrict: boolean): Promise<void> {
    const segment = this.#segment;
    if (!segment) return;
    await this.#syncing;
    this.#segment = undefined;
    try {
      if (segment.isDirty && !segment.hasFailedSync) await this.#sync(segment);
    } catch (error) {
      if (isStrict) throw error;
    } finally {
      await segment.file.close();
    }
  }

  #armSync(): void {
    this.#syncTimer ??= this.#host.clock.setTimer(() => {
      this.#syncTimer = undefined;
      this.#syncing = this.#syncing.then(() => this.#syncInterval());
    }, this.#options.fsyncIntervalMs * INTERVAL_PART);
  }

  async #syncInterval(): Promise<void> {
    const segment = this.#segment;
    if (!segment || segment.hasFailedSync || !segment.isDirty) return;
    // A failure is counted and logged by #sync, and ends the segment; no commit waits for this fsync.
    await this.#sync(segment).catch(() => undefined);
  }

  async #sync(segment: OpenSegment): Promise<void> {
    const started = this.#host.clock.monotonicMs();
    segment.isDirty = false;
    try {
      await segment.file.sync();
    } catch (error) {
      segment.isBroken = true;
      segment.hasFailedSync = true;
      this.#observer.syncFailed();
      const facts = { segment: segment.index, error: errorText(error) };
      this.#host.log.error(facts, 'fsync of the write-ahead log failed; going on in a new segment');
      throw error;
    }
    this.#observer.synced((this.#host.clock.monotonicMs() - started) / 1000);
  }

  /** Takes back what a failed group may have written. */
  async #cut(segment: OpenSegment, sizeBytes: number): Promise<void> {
    segment.sizeBytes = sizeBytes;
    segment.isDirty = true;
    const isOpen = segment === this.#segment;
    try {
      const path = `${this.#options.folder}/${segmentName(segment.index)}`;
      const file = isOpen ? segment.file : await this.#host.fs.open(path, 'rw');
      await file.truncate(sizeBytes);
      if (!isOpen) await file.close();
    } catch (error) {
      segment.isBroken = true;
      const facts = { segment: segment.index, offset: sizeBytes, error: errorText(error) };
      this.#host.log.warn(facts, 'write-ahead log could not be cut after a failed write; going on in a new segment');
    }
  }
}

/** Eight digits, as Prometheus names them. */
export function segmentName(index: number): string {
  return String(index).padStart(8, '0');
}

function writeError(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  return new CodedError('unavailable', `write-ahead log: ${errorText(error)}`, { cause: error });
}
