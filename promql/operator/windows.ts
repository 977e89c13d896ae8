// hot path: once per series and step of every range function.
import type { SampleColumns } from '../../model/sample.ts';
import type { StepAxis } from '../value.ts';
import { referenceTimes, type TimeReference } from './vector-selector.ts';

/**
 * The windows of one series: at step i the samples [lo[i], hi[i]) of `times` and `values`, which are those of the
 * left-open interval (ends[i] - rangeMs, ends[i]], made wider by what the widening says. Staleness markers are not among the samples. Columns are lent by
 * whoever read them; their length may be more than `count`.
 */
export interface Windows {
  readonly rangeMs: number;
  readonly widening: Widening;
  /** Right end of the window per step. */
  readonly ends: Float64Array;
  /** Time of each step itself, which differs from `ends` by offset and `@`. */
  readonly stepTimes: Float64Array;
  readonly lo: Int32Array;
  readonly hi: Int32Array;
  times: Float64Array;
  values: Float64Array;
  count: number;
  /** The function's scalar arguments: one column per argument, one value per step. */
  params: readonly Float64Array[];
}

/** By how much windows of `anchored` and `smoothed` ranges are wider at their ends, ms. */
export interface Widening {
  readonly backMs: number;
  readonly aheadMs: number;
}

export function createWindows(
  axis: StepAxis,
  reference: TimeReference,
  rangeMs: number,
  widening: Widening = { backMs: 0, aheadMs: 0 },
): Windows {
  return {
    rangeMs,
    widening,
    ends: referenceTimes(axis, reference),
    stepTimes: referenceTimes(axis, { atMs: undefined, offsetMs: 0 }),
    lo: new Int32Array(axis.count),
    hi: new Int32Array(axis.count),
    times: NO_SAMPLES,
    values: NO_SAMPLES,
    count: 0,
    params: [],
  };
}

const NO_SAMPLES = new Float64Array(0);

/** Points the windows at the samples of a series, with two pointers that only go forward. Returns the sum of their sizes. */
export function slideWindows(windows: Windows, columns: SampleColumns): number {
  const { ends, lo, hi } = windows;
  const aheadMs = windows.widening.aheadMs;
  const widthMs = windows.rangeMs + windows.widening.backMs + aheadMs;
  const { times, count } = columns;
  windows.times = times;
  windows.values = columns.values;
  windows.count = count;
  const stepCount = ends.length;
  let first = 0;
  let last = 0;
  let total = 0;
  for (let i = 0; i < stepCount; i++) {
    const end = ends[i]! + aheadMs;
    const start = end - widthMs;
    while (last < count && times[last]! <= end) last++;
    while (first < last && times[first]! <= start) first++;
    lo[i] = first;
    hi[i] = last;
    total += last - first;
  }
  return total;
}
