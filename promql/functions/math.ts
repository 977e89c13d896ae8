// hot path: functions of one float.
import { histogramVariance } from '../../model/histogram-quantile.ts';
import { perSample, type HistogramMap, type MapKernel } from './map-function.ts';

const abs: MapKernel = ({ values, base, stepTimes }) => {
  const end = base + stepTimes.length;
  for (let i = base; i < end; i++) values[i] = Math.abs(values[i]!);
};

/** Rounds to a multiple of the argument, ties up; the inverse is used as Prometheus does, for equal results. */
const round: MapKernel = ({ values, base, params, stepTimes }) => {
  const nearest = params[0];
  for (let i = 0; i < stepTimes.length; i++) {
    const inverse = 1 / (nearest === undefined ? 1 : nearest[i]!);
    values[base + i] = Math.floor(values[base + i]! * inverse + 0.5) / inverse;
  }
};

/** Math.min and Math.max give NaN when either side is NaN, as Go's do. */
const clamp: MapKernel = ({ values, present, base, params, stepTimes }) => {
  const lower = params[0]!;
  const upper = params[1]!;
  for (let i = 0; i < stepTimes.length; i++) {
    if (upper[i]! < lower[i]!) present[base + i] = 0;
    values[base + i] = Math.max(lower[i]!, Math.min(upper[i]!, values[base + i]!));
  }
};

const clampMin: MapKernel = ({ values, base, params, stepTimes }) => {
  const lower = params[0]!;
  for (let i = 0; i < stepTimes.length; i++) values[base + i] = Math.max(lower[i]!, values[base + i]!);
};

const clampMax: MapKernel = ({ values, base, params, stepTimes }) => {
  const upper = params[0]!;
  for (let i = 0; i < stepTimes.length; i++) values[base + i] = Math.min(upper[i]!, values[base + i]!);
};

function sign(x: number): number {
  if (x < 0) return -1;
  return x > 0 ? 1 : x;
}

/** timestamp() of anything but a selector: the time of the step. */
const stepTimestamp: MapKernel = ({ values, base, stepTimes }) => {
  for (let i = 0; i < stepTimes.length; i++) values[base + i] = stepTimes[i]! / 1000;
};

/** Functions of what floats do not have: observations, and start timestamps as long as storage has none. */
const nothing: MapKernel = ({ present, base, stepTimes }) => {
  present.fill(0, base, base + stepTimes.length);
};

/** What functions make of histograms; those not listed drop them. */
export const HISTOGRAM_MAPS: ReadonlyMap<string, HistogramMap> = new Map<string, HistogramMap>([
  ['histogram_count', ({ count }) => count],
  ['histogram_sum', ({ sum }) => sum],
  ['histogram_avg', ({ sum, count }) => sum / count],
  ['histogram_stddev', (histogram) => Math.sqrt(histogramVariance(histogram))],
  ['histogram_stdvar', (histogram) => histogramVariance(histogram)],
]);

export const MATH_FUNCTIONS: readonly (readonly [string, MapKernel])[] = [
  ['abs', abs],
  ['ceil', perSample(Math.ceil)],
  ['floor', perSample(Math.floor)],
  ['exp', perSample(Math.exp)],
  ['sqrt', perSample(Math.sqrt)],
  ['ln', perSample(Math.log)],
  ['log2', perSample(Math.log2)],
  ['log10', perSample(Math.log10)],
  ['sgn', perSample(sign)],
  ['round', round],
  ['clamp', clamp],
  ['clamp_min', clampMin],
  ['clamp_max', clampMax],
  ['timestamp', stepTimestamp],
  ['start_timestamp', nothing],
  ['histogram_count', nothing],
  ['histogram_sum', nothing],
  ['histogram_avg', nothing],
  ['histogram_stddev', nothing],
  ['histogram_stdvar', nothing],
];
