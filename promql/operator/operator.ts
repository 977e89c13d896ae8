import type { Labels } from '../../model/labels.ts';

/** `Operator.next` returns this when its quantum of work is spent: nothing was produced yet, call again. */
export const PENDING = -1;

/**
 * Up to `capacity` consecutive output series over all steps of the query: row r of series `first + r` is at
 * [r * stepCount, (r + 1) * stepCount). `present` is 1 where the step has a sample; where it is 0 the value is garbage.
 * Presence is never told by a NaN.
 */
export interface Batch {
  /** Index, in `Operator.series()`, of the series in row 0. */
  first: number;
  readonly capacity: number;
  readonly stepCount: number;
  readonly values: Float64Array;
  readonly present: Uint8Array;
}

/**
 * Evaluates one node of the plan, series by series, each over all steps. Life: `series()` once, then `next()` until it
 * returns 0, then `close()`, which is also the way to stop early. Nothing is shared between operators but through this.
 * Shape taken from the same idea in thanos-io/promql-engine and grafana/mimir's streaming engine.
 */
export interface Operator {
  /** Labels of every series that may come, in the order in which they will; the array is lent until `close()`. */
  series(): readonly Labels[];
  /**
   * Fills rows of the caller's batch with the next series; returns how many rows, 0 when there are none left, or
   * PENDING. A parent passes PENDING up at once and is called again later, so every operator keeps its state in fields
   * and a worker can interleave queries and notice cancellation.
   */
  next(batch: Batch): number;
  close(): void;
}
