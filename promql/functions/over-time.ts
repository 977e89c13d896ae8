// hot path: kernels of the *_over_time family.
import { quantileOf } from './quantile.ts';
import { perWindow, type RangeKernel } from './range-function.ts';

/** Kahan-Neumaier compensated sum, as Prometheus adds: the order of additions is the order of time. */
export const sumOverTime: RangeKernel = perWindow(1, ({ values }, lo, hi) => {
  let sum = 0;
  let c = 0;
  for (let i = lo; i < hi; i++) {
    const x = values[i]!;
    const t = sum + x;
    if (t === Infinity || t === -Infinity) c = 0;
    else if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
  }
  return sum === Infinity || sum === -Infinity ? sum : sum + c;
});

/** Sum divided by count; from the first overflow of the sum on, an incremental mean. */
export const avgOverTime: RangeKernel = perWindow(1, ({ values }, lo, hi) => {
  let sum = values[lo]!;
  let c = 0;
  for (let i = lo + 1; i < hi; i++) {
    const x = values[i]!;
    const t = sum + x;
    if (t === Infinity || t === -Infinity) return incrementalMean(values, i, hi, i - lo, sum, c);
    if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
  }
  const count = hi - lo;
  return sum / count + c / count;
});

// oxlint-disable-next-line max-params -- the state of the loop that found the overflow
function incrementalMean(
  values: Float64Array,
  from: number,
  hi: number,
  countBefore: number,
  sum: number,
  compensation: number,
): number {
  let count = countBefore;
  let mean = sum / count;
  let c = compensation / count;
  for (let i = from; i < hi; i++) {
    count++;
    const q = (count - 1) / count;
    const x = values[i]! / count;
    const scaled = q * mean;
    const t = x + scaled;
    c *= q;
    if (t === Infinity || t === -Infinity) c = 0;
    else if (Math.abs(scaled) >= Math.abs(x)) c += scaled - t + x;
    else c += x - t + scaled;
    mean = t;
  }
  return mean + c;
}

/**
 * Keeps the place of the extreme while the window slides; only when it falls out is the window searched again. NaN gives
 * way to any number.
 */
function slidingExtreme(isBetter: (x: number, best: number) => boolean, wantsTime: boolean): RangeKernel {
  return (windows, out, base, from, to) => {
    const { lo, hi, times, values } = windows;
    let best = -1;
    let seen = 0;
    for (let i = from; i < to; i++) {
      const first = lo[i]!;
      const end = hi[i]!;
      out.present[base + i] = end > first ? 1 : 0;
      if (end === first) continue;
      if (best < first || seen < first) {
        best = first;
        seen = first + 1;
      }
      for (; seen < end; seen++) {
        const x = values[seen]!;
        const bestValue = values[best]!;
        if (isBetter(x, bestValue) || bestValue !== bestValue) best = seen;
      }
      out.values[base + i] = wantsTime ? times[best]! / 1000 : values[best]!;
    }
  };
}

// Ties go to the later sample: it stays in the window longer, and the ts_of functions want the last occurrence.
export const maxOverTime: RangeKernel = slidingExtreme((x, best) => x >= best, false);
export const minOverTime: RangeKernel = slidingExtreme((x, best) => x <= best, false);
export const tsOfMaxOverTime: RangeKernel = slidingExtreme((x, best) => x >= best, true);
export const tsOfMinOverTime: RangeKernel = slidingExtreme((x, best) => x <= best, true);

export const countOverTime: RangeKernel = perWindow(1, (_windows, lo, hi) => hi - lo);
export const presentOverTime: RangeKernel = perWindow(1, () => 1);
export const lastOverTime: RangeKernel = perWindow(1, ({ values }, _lo, hi) => values[hi - 1]!);
export const firstOverTime: RangeKernel = perWindow(1, ({ values }, lo) => values[lo]!);
export const tsOfLastOverTime: RangeKernel = perWindow(1, ({ times }, _lo, hi) => times[hi - 1]! / 1000);
export const tsOfFirstOverTime: RangeKernel = perWindow(1, ({ times }, lo) => times[lo]! / 1000);

export const stdvarOverTime: RangeKernel = perWindow(1, ({ values }, lo, hi) => variance(values, lo, hi));
export const stddevOverTime: RangeKernel = perWindow(1, ({ values }, lo, hi) => Math.sqrt(variance(values, lo, hi)));

/** Welford's method with both running sums compensated. */
function variance(values: Float64Array, lo: number, hi: number): number {
  let count = 0;
  let mean = 0;
  let cMean = 0;
  let aux = 0;
  let cAux = 0;
  for (let i = lo; i < hi; i++) {
    const x = values[i]!;
    count++;
    const d = x - (mean + cMean);
    const part = d / count;
    const nextMean = mean + part;
    if (nextMean === Infinity || nextMean === -Infinity) cMean = 0;
    else if (Math.abs(mean) >= Math.abs(part)) cMean += mean - nextMean + part;
    else cMean += part - nextMean + mean;
    mean = nextMean;
    const square = d * (x - (mean + cMean));
    const nextAux = aux + square;
    if (nextAux === Infinity || nextAux === -Infinity) cAux = 0;
    else if (Math.abs(aux) >= Math.abs(square)) cAux += aux - nextAux + square;
    else cAux += square - nextAux + aux;
    aux = nextAux;
  }
  return (aux + cAux) / count;
}

export const quantileOverTime: RangeKernel = perWindow(1, ({ values, params }, lo, hi, step) =>
  quantileOf(params[0]![step]!, values.slice(lo, hi)),
);

/** Median absolute deviation. */
export const madOverTime: RangeKernel = perWindow(1, ({ values }, lo, hi) => {
  const window = values.slice(lo, hi);
  const median = quantileOf(0.5, window);
  if (window.some((x) => x !== x)) return NaN;
  for (let i = 0; i < window.length; i++) window[i] = Math.abs(window[i]! - median);
  return quantileOf(0.5, window);
});
