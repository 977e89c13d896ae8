// hot path: kernels that fit a line or smooth a window.
import { CodedError } from '../../util/errors.ts';
import type { Windows } from '../operator/windows.ts';
import { perWindow, type RangeKernel } from './range-function.ts';

export const deriv: RangeKernel = perWindow(2, (windows, lo, hi) => fitLine(windows, lo, hi, windows.times[lo]!).slope);

export const predictLinear: RangeKernel = perWindow(2, (windows, lo, hi, step) => {
  const line = fitLine(windows, lo, hi, windows.stepTimes[step]!);
  return line.slope * windows.params[0]![step]! + line.intercept;
});

interface Line {
  readonly slope: number;
  readonly intercept: number;
}

class CompensatedSum {
  sum = 0;
  c = 0;

  add(x: number): void {
    const t = this.sum + x;
    if (t === Infinity || t === -Infinity) this.c = 0;
    else if (Math.abs(this.sum) >= Math.abs(x)) this.c += this.sum - t + x;
    else this.c += x - t + this.sum;
    this.sum = t;
  }

  get total(): number {
    return this.sum + this.c;
  }
}

/** Least squares; x is in seconds from `originMs`. */
function fitLine({ times, values }: Windows, lo: number, hi: number, originMs: number): Line {
  const first = values[lo]!;
  let isConstant = true;
  const xs = new CompensatedSum();
  const ys = new CompensatedSum();
  const products = new CompensatedSum();
  const squares = new CompensatedSum();
  for (let i = lo; i < hi; i++) {
    const x = (times[i]! - originMs) / 1e3;
    const y = values[i]!;
    if (i > lo && y !== first) isConstant = false;
    xs.add(x);
    ys.add(y);
    products.add(x * y);
    squares.add(x * x);
  }
  if (isConstant) {
    if (first === Infinity || first === -Infinity) return { slope: NaN, intercept: NaN };
    return { slope: 0, intercept: first };
  }
  const n = hi - lo;
  const sumX = xs.total;
  const sumY = ys.total;
  const covariance = products.total - (sumX * sumY) / n;
  const variance = squares.total - (sumX * sumX) / n;
  const slope = covariance / variance;
  return { slope, intercept: sumY / n - (slope * sumX) / n };
}

/** Holt's linear method. */
export const doubleExponentialSmoothing: RangeKernel = (windows, out, base, from, to) => {
  const smoothing = windows.params[0]!;
  const trend = windows.params[1]!;
  for (let i = from; i < to; i++) {
    const lo = windows.lo[i]!;
    const hi = windows.hi[i]!;
    out.present[base + i] = 0;
    if (hi === lo) continue;
    checkFactor('smoothing', 'sf', smoothing[i]!);
    checkFactor('trend', 'tf', trend[i]!);
    if (hi - lo < 2) continue;
    out.values[base + i] = smooth(windows.values, lo, hi, smoothing[i]!, trend[i]!);
    out.present[base + i] = 1;
  }
};

function checkFactor(what: string, name: string, factor: number): void {
  if (factor > 0 && factor < 1) return;
  if (factor !== factor) return;
  throw new CodedError('execution', `invalid ${what} factor. Expected: 0 < ${name} < 1, got: ${factor.toFixed(6)}`);
}

function smooth(values: Float64Array, lo: number, hi: number, sf: number, tf: number): number {
  let s0 = 0;
  let s1 = values[lo]!;
  let b = values[lo + 1]! - values[lo]!;
  for (let i = lo + 1; i < hi; i++) {
    const x = sf * values[i]!;
    if (i > lo + 1) b = tf * (s1 - s0) + (1 - tf) * b;
    const y = (1 - sf) * (s1 + b);
    s0 = s1;
    s1 = x + y;
  }
  return s1;
}
