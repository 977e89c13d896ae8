import * as overTime from './over-time.ts';
import * as predict from './predict.ts';
import type { RangeFunction, RangeKernel } from './range-function.ts';
import * as rates from './rate.ts';

function row(kernel: RangeKernel, keepsName = false): RangeFunction {
  return { kernel, keepsName };
}

/** Functions of a range vector by name; absent_over_time is built from present_over_time. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  ['rate', row(rates.rate)],
  ['increase', row(rates.increase)],
  ['delta', row(rates.delta)],
  ['irate', row(rates.irate)],
  ['idelta', row(rates.idelta)],
  ['resets', row(rates.resets)],
  ['changes', row(rates.changes)],
  ['deriv', row(predict.deriv)],
  ['predict_linear', row(predict.predictLinear)],
  ['double_exponential_smoothing', row(predict.doubleExponentialSmoothing)],
  ['sum_over_time', row(overTime.sumOverTime)],
  ['avg_over_time', row(overTime.avgOverTime)],
  ['min_over_time', row(overTime.minOverTime)],
  ['max_over_time', row(overTime.maxOverTime)],
  ['count_over_time', row(overTime.countOverTime)],
  ['present_over_time', row(overTime.presentOverTime)],
  ['stddev_over_time', row(overTime.stddevOverTime)],
  ['stdvar_over_time', row(overTime.stdvarOverTime)],
  ['quantile_over_time', row(overTime.quantileOverTime)],
  ['mad_over_time', row(overTime.madOverTime)],
  ['last_over_time', row(overTime.lastOverTime, true)],
  ['first_over_time', row(overTime.firstOverTime, true)],
  ['ts_of_first_over_time', row(overTime.tsOfFirstOverTime)],
  ['ts_of_last_over_time', row(overTime.tsOfLastOverTime)],
  ['ts_of_max_over_time', row(overTime.tsOfMaxOverTime)],
  ['ts_of_min_over_time', row(overTime.tsOfMinOverTime)],
]);
