import type { FloatHistogram } from '../../model/float-histogram.ts';

/** One row of an instant vector, changed in place: the samples are at [base, base + stepTimes.length). */
export interface MapRow {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  base: number;
  /** Scalar arguments, one column each, one value per step. */
  params: readonly Float64Array[];
  /** Evaluation times, ms. */
  readonly stepTimes: Float64Array;
}

/** A function from samples to samples of the same series. It may take samples away. */
export type MapKernel = (row: MapRow) => void;

/**
 * What the function makes of a sample that is a histogram: a histogram, a number, or undefined for none. `step` is the
 * place of the step in `params`, which are as in MapRow.
 */
export type HistogramMap = (
  histogram: FloatHistogram,
  step: number,
  params: readonly Float64Array[],
) => FloatHistogram | number | undefined;

/** A kernel that maps each sample by itself. Absent samples may be mapped too: their values mean nothing. */
export function perSample(fn: (x: number) => number): MapKernel {
  return ({ values, base, stepTimes }) => {
    const end = base + stepTimes.length;
    for (let i = base; i < end; i++) values[i] = fn(values[i]!);
  };
}
