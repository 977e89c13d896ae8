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

/** A kernel that maps each sample by itself. Absent samples may be mapped too: their values mean nothing. */
export function perSample(fn: (x: number) => number): MapKernel {
  return ({ values, base, stepTimes }) => {
    const end = base + stepTimes.length;
    for (let i = base; i < end; i++) values[i] = fn(values[i]!);
  };
}
