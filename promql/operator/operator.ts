import type { FloatHistogram } from '../../model/float-histogram.ts';
import type { Labels } from '../../model/labels.ts';

/** `open` and `next` return this when the quantum of work is spent: nothing was produced yet, call again. */
export const PENDING = -1;
/** `open` returns this when the operator is ready. */
export const READY = 0;

/** The output series of an operator, in the order in which they come. Labels are made when asked for: many are not. */
export interface SeriesList {
  readonly count: number;
  labels(index: number): Labels;
  /** With delayed name removal: the metric name of this series is to go at the end of the query. */
  dropsName(index: number): boolean;
}

/**
 * Up to `capacity` consecutive output series over all steps of the query: row r of series `first + r` is at
 * [r * stepCount, (r + 1) * stepCount). `present` is 1 where the step has a sample; where it is 0 the value is garbage.
 * Presence is never told by a NaN. Whoever fills a batch sets `histograms` too: undefined where all samples are floats, as
 * nearly always; else a column in which a present sample has its histogram, or undefined when it is a float.
 */
export interface Batch {
  /** Index, in `Operator.series()`, of the series in row 0. */
  first: number;
  readonly capacity: number;
  readonly stepCount: number;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  histograms: HistogramColumn | undefined;
}

/** Samples that are histograms by their places; where the sample is absent too the entry means nothing. */
export type HistogramColumn = (FloatHistogram | undefined)[];

/**
 * Evaluates one node of the plan, series by series, each over all steps. Life: `open()` until READY, then `series()`,
 * then `next()` until it returns 0, then `close()`, which is also the way to stop early. A scalar is an operator of one
 * series without labels that is present at every step. Nothing is shared between operators but through this.
 * Shape taken from the same idea in thanos-io/promql-engine and grafana/mimir's streaming engine.
 */
export interface Operator {
  /** Finds out what the output series are, which for some nodes takes all of the input. READY or PENDING. */
  open(): number;
  /** Every series that may come; lent until `close()`. */
  series(): SeriesList;
  /**
   * Fills rows of the caller's batch with the next series; returns how many rows, 0 when there are none left, or
   * PENDING. A parent passes PENDING up at once and calls again later with the same, untouched batch; so every operator
   * keeps its state in fields, and a worker can interleave queries and notice cancellation.
   */
  next(batch: Batch): number;
  close(): void;
}

/** Values per batch: a few rows that stay in the processor's cache, many rows when a query has few steps. */
const BATCH_VALUES = 8192;
const BATCH_ROWS_MAX = 1024;

export function createBatch(stepCount: number, rowsMax = BATCH_ROWS_MAX): Batch {
  const capacity = Math.max(1, Math.min(rowsMax, BATCH_ROWS_MAX, Math.floor(BATCH_VALUES / stepCount)));
  return {
    first: 0,
    capacity,
    stepCount,
    values: new Float64Array(capacity * stepCount),
    present: new Uint8Array(capacity * stepCount),
    histograms: undefined,
  };
}

export function createHistograms(length: number): HistogramColumn {
  return Array.from({ length }, () => undefined);
}

/** The column of histograms of a batch, made when there is none yet. */
export function histogramsOf(batch: Batch): HistogramColumn {
  batch.histograms ??= createHistograms(batch.values.length);
  return batch.histograms;
}

/** Takes the samples that are histograms out of the first rows of a batch; returns how many there were. */
export function dropHistograms(batch: Batch, rows: number): number {
  const { histograms, present, stepCount } = batch;
  if (histograms === undefined) return 0;
  let dropped = 0;
  for (let i = 0; i < rows * stepCount; i++) {
    if (present[i] === 0 || histograms[i] === undefined) continue;
    present[i] = 0;
    dropped++;
  }
  batch.histograms = undefined;
  return dropped;
}

/** How many of [from, to) are present. */
export function countPresent(present: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) count += present[i]!;
  return count;
}
