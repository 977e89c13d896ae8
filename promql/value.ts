import type { FloatHistogram } from '../model/float-histogram.ts';
import type { Labels } from '../model/labels.ts';
import type { DurationMs, TimestampMs } from '../model/time.ts';

/** The evaluation steps of a query: start, start + step, ... An instant query has one step and stepMs 0. */
export interface StepAxis {
  readonly startMs: TimestampMs;
  readonly stepMs: DurationMs;
  readonly count: number;
}

/**
 * One series of a result: its points as columns of equal length, times ascending in ms. A point that is a histogram is in
 * `histograms`, which is absent where there is none; its value is then NaN and means nothing.
 */
export interface ResultSeries {
  readonly labels: Labels;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly histograms?: readonly (FloatHistogram | undefined)[] | undefined;
}

/**
 * What a query returns. `matrix` of a range query is sorted by labels and has its points on the step axis; of an instant
 * query over a range selector it holds raw samples (`axis` undefined). `vector` has one point a series, in result order.
 */
export type QueryResult =
  | { readonly type: 'scalar'; readonly timeMs: TimestampMs; readonly value: number }
  | { readonly type: 'string'; readonly timeMs: TimestampMs; readonly value: string }
  | { readonly type: 'vector'; readonly series: readonly ResultSeries[] }
  | { readonly type: 'matrix'; readonly axis: StepAxis | undefined; readonly series: readonly ResultSeries[] };
