// The seams between the engines: tsdb implements them, promql, scraper and remote use them, server joins them.
import type { Labels } from './labels.ts';
import type { Matcher } from './matcher.ts';
import type { SampleBatch, SampleColumns, SeriesRef } from './sample.ts';
import type { TimestampMs } from './time.ts';

/** What became of a committed batch. Rejected rows do not fail the others. */
export interface CommitResult {
  readonly storedCount: number;
  /** Older than the series' newest sample. */
  readonly outOfOrderCount: number;
  /** Same timestamp, other value; the first value stays. An equal value is accepted silently and counts as stored. */
  readonly duplicateCount: number;
  /** Older than the head's lower bound. */
  readonly outOfBoundsCount: number;
  /** Text of the first rejection, with its series, as Prometheus words it; undefined when none was rejected. */
  readonly firstError: string | undefined;
}

/** The way in. There is one per database, used on the thread that owns the head. */
export interface Appender {
  /** The series of these labels, created when new. Throws `limit` when the head takes no more series. */
  seriesRef(labels: Labels): SeriesRef;
  /** The labels of a series that `seriesRef` returned. */
  labelsOf(ref: SeriesRef): Labels;
  /**
   * Stores the batch as one commit: logged, then published, so that a reader sees all of it or nothing. `batch` is lent
   * only until the call returns (it is encoded before the first wait). Rejects with the disk's error when it could not
   * be logged; then nothing of it is visible.
   */
  commit(batch: SampleBatch): Promise<CommitResult>;
}

/** What a reader is going to do with the samples, so that only what is needed is decoded. All ms. */
export interface SelectHints {
  /** First and last sample time of interest, inclusive. */
  readonly startMs: TimestampMs;
  readonly endMs: TimestampMs;
  /** Most series wanted, 0 for all (metadata look-ups). */
  readonly limit?: number;
}

/** Series that a selector matched, known before any sample is read, ascending by labels. */
export interface SeriesSet {
  readonly count: number;
  labels(index: number): Labels;
  /**
   * Replaces the content of `out` with the samples of series `index` whose time is in [startMs, endMs], ascending.
   * Series may be read in any order and more than once, with a window inside the one hinted.
   */
  read(index: number, startMs: TimestampMs, endMs: TimestampMs, out: SampleColumns): void;
}

/** A consistent view of the database: commits finished before it was made, and nothing later (reliability I1, I2). */
export interface Querier {
  select(matchers: readonly Matcher[], hints: SelectHints): SeriesSet;
  /** Ascending by UTF-8 bytes. No matchers: all series. `limit` 0 is no limit. */
  labelNames(matchers: readonly Matcher[], limit: number): string[];
  labelValues(name: string, matchers: readonly Matcher[], limit: number): string[];
  /** Gives the view back; nothing of it may be used after. */
  close(): void;
}

/** A database that can be read, from any thread. */
export interface Queryable {
  /** [minTime, maxTime] bound what will be read, ms, inclusive. */
  querier(minTime: TimestampMs, maxTime: TimestampMs): Querier;
}
