// The head: the newest samples of every series, in shared memory. One Head per process, on the main thread, is the only
// writer; any thread reads through `openHead(head.share(), slot)` (head-querier.ts). The tables: tables.ts. Index:
// symbols.ts, postings.ts, series-table.ts. Samples: series.ts on chunk-memory.ts. Order of publication: appender.ts.
// Who may still look at something old: epochs.ts. Layout and rules: docs/format/head-tables.md.
import type { Labels } from '../../model/labels.ts';
import type { SampleBatch, SeriesRef } from '../../model/sample.ts';
import type { Appender, CommitResult } from '../../model/storage.ts';
import type { TimestampMs } from '../../model/time.ts';
import { assert } from '../../util/assert.ts';
import type { Clock } from '../../util/host.ts';
import { Admission, assertRoom, CommitQueue, Publisher, type CommitLog } from './appender.ts';
import { ChunkMemory } from './chunk-memory.ts';
import { EpochClock } from './epochs.ts';
import { LabelReader } from './label-reader.ts';
import { Postings } from './postings.ts';
import { SeriesChunks, type ChunkRules } from './series.ts';
import { SeriesTable } from './series-table.ts';
import { SharedSlots } from './shared-slots.ts';
import { SymbolTable } from './symbols.ts';
import { createTables, type HeadShare, type HeadTables } from './tables.ts';

export type { HeadShare } from './tables.ts';

export interface HeadOptions extends Partial<ChunkRules> {
  /** undefined: commits are published at once and live in memory only. */
  readonly commitLog?: CommitLog | undefined;
  readonly clock: Clock;
  /** --storage.tsdb.max-head-series; 0 is no limit of ours. */
  readonly maxSeries: number;
}

/** --storage.tsdb.min-block-duration and .samples-per-chunk */
export const DEFAULT_CHUNK_RULES: ChunkRules = { chunkRangeMs: 2 * 3_600_000, samplesPerChunk: 120 };
const CHUNK_RANGE_MS_MAX = 2 ** 30;

/** Counts of the head as the writer knows them; the lists of the index are `HeadReader.stats`. */
export interface HeadStatus {
  readonly seriesCount: number;
  readonly chunkCount: number;
  /** Distinct label pairs. */
  readonly pairCount: number;
  /** undefined: no samples. */
  readonly minTime: TimestampMs | undefined;
  readonly maxTime: TimestampMs | undefined;
  /** Bytes of shared memory in use, touched or not. */
  readonly sizeBytes: number;
}

export class Head implements Appender {
  readonly #options: HeadOptions;
  readonly #chunkRangeMs: number;
  readonly #tables: HeadTables;
  readonly #epochs: EpochClock;
  readonly #memory: ChunkMemory;
  readonly #postings: Postings;
  readonly #series: SeriesTable;
  readonly #labels: LabelReader;
  readonly #chunks: SeriesChunks;
  readonly #admission: Admission;
  readonly #publisher: Publisher;
  readonly #queue: CommitQueue;
  #commitLog: CommitLog | undefined;
  /** Series not in the log yet; they go there with the next commit. */
  #unlogged: { readonly ref: SeriesRef; readonly labels: Labels }[] = [];
  #minValidTime = -Infinity;

  constructor(options: HeadOptions) {
    const rules = { ...DEFAULT_CHUNK_RULES };
    if (options.chunkRangeMs !== undefined) rules.chunkRangeMs = options.chunkRangeMs;
    if (options.samplesPerChunk !== undefined) rules.samplesPerChunk = options.samplesPerChunk;
    assert(rules.chunkRangeMs > 0 && rules.chunkRangeMs <= CHUNK_RANGE_MS_MAX, 'chunk range');
    assert(rules.samplesPerChunk >= 4 && rules.samplesPerChunk <= 30_000, 'samples per chunk');
    this.#options = options;
    this.#commitLog = options.commitLog;
    this.#chunkRangeMs = rules.chunkRangeMs;
    this.#tables = createTables();
    this.#epochs = new EpochClock(this.#tables.control);
    this.#memory = new ChunkMemory(this.#tables.share.chunks, this.#epochs);
    const slots = new SharedSlots(this.#tables, this.#epochs);
    const symbols = new SymbolTable(this.#tables, slots);
    this.#postings = new Postings(this.#tables, slots);
    this.#series = new SeriesTable(this.#tables, symbols, this.#postings, options.maxSeries);
    this.#labels = new LabelReader(this.#tables);
    this.#chunks = new SeriesChunks(this.#tables, this.#memory, rules);
    this.#admission = new Admission(this.#tables, (ref) => this.labelsOf(ref));
    this.#publisher = new Publisher(this.#tables, this.#chunks);
    this.#queue = new CommitQueue(this.#admission, this.#publisher);
  }

  /** From now on commits are logged there: replay goes first, and has none. */
  setCommitLog(commitLog: CommitLog): void {
    assert(this.#queue.isEmpty, 'the log is set between commits');
    this.#commitLog = commitLog;
  }

  /** Samples before this time are out of bounds: a block holds them already. Never goes back. */
  raiseMinValidTime(time: TimestampMs): void {
    this.#minValidTime = Math.max(this.#minValidTime, time);
  }

  seriesRef(labels: Labels): SeriesRef {
    const found = this.#series.find(labels);
    if (found !== 0) return found;
    const ref = this.#series.add(labels);
    if (this.#commitLog) this.#unlogged.push({ ref, labels });
    return ref;
  }

  labelsOf(ref: SeriesRef): Labels {
    assert(ref >= 1 && ref <= this.#series.count, `series ref ${ref} is unknown`);
    return this.#labels.labels(ref);
  }

  commit(batch: SampleBatch): Promise<CommitResult> {
    const rows = this.#queue.takeRows();
    try {
      assertRoom(this.#memory, batch.count);
    } catch (error) {
      this.#queue.giveRows(rows);
      return Promise.reject(error);
    }
    const commit = this.#admission.admit(batch, this.#lowerBound(), rows);
    const log = this.#commitLog;
    // Nothing to log: but rows that repeat a sample still in flight are stored only when that one is.
    if (!log || (rows.count === 0 && this.#unlogged.length === 0)) {
      if (!this.#queue.isEmpty) return this.#queue.add(commit, Promise.resolve(), () => undefined);
      this.#publisher.publish(rows);
      this.#queue.giveRows(rows);
      return Promise.resolve(commit.result());
    }
    const added = this.#unlogged;
    this.#unlogged = [];
    return this.#queue.add(commit, log.append(added, rows), () => {
      this.#unlogged = [...added, ...this.#unlogged];
    });
  }

  /** Replay: as `seriesRef`, but the series is in the log already. */
  replaySeries(labels: Labels): SeriesRef {
    return this.#series.find(labels) || this.#series.add(labels);
  }

  /** Replay: as `commit`, published when it returns, and neither logged nor held against the head's newest time. */
  replaySamples(batch: SampleBatch): CommitResult {
    assertRoom(this.#memory, batch.count);
    const rows = this.#queue.takeRows();
    const commit = this.#admission.admit(batch, this.#minValidTime, rows);
    this.#publisher.publish(rows);
    this.#queue.giveRows(rows);
    return commit.result();
  }

  /** What a reading thread needs for `openHead`; post it by message, never as workerData. */
  share(): HeadShare {
    return this.#tables.share;
  }

  /** One per reading thread, for `openHead`. Throws `limit` when there are more than 64. */
  acquireReaderSlot(): number {
    return this.#epochs.acquireSlot();
  }

  /** After the thread has ended: what it was reading is given free. */
  releaseReaderSlot(slot: number): void {
    this.#epochs.releaseSlot(slot);
  }

  status(): HeadStatus {
    const { minTime, maxTime } = this.#publisher;
    const isEmpty = minTime === Infinity;
    return {
      seriesCount: this.#series.count,
      chunkCount: this.#chunks.chunkCount,
      pairCount: this.#postings.valuePairCount,
      minTime: isEmpty ? undefined : minTime,
      maxTime: isEmpty ? undefined : maxTime,
      sizeBytes: this.#tables.sizeBytes + this.#memory.sizeBytes,
    };
  }

  /**
   * Half a chunk range behind the newest sample, as in Prometheus; behind the wall clock when a sample is ahead of it,
   * so that one wrong clock does not shut the others out (T3).
   */
  #lowerBound(): TimestampMs {
    const newest = Math.min(this.#publisher.maxTime, this.#options.clock.nowMs());
    return Math.max(this.#minValidTime, newest - this.#chunkRangeMs / 2);
  }
}
