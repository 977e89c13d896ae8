// hot path: kernels of rate, increase, delta, irate, idelta, changes and resets.
import type { Windows } from '../operator/windows.ts';
import { perWindow, type RangeKernel } from './range-function.ts';

export const rate: RangeKernel = (windows, out, base, from, to) => {
  const { values, present } = out;
  const seconds = goSeconds(windows.rangeMs);
  const drops = findDrops(windows, from, to);
  for (let i = from; i < to; i++) {
    const lo = windows.lo[i]!;
    const hi = windows.hi[i]!;
    if (hi - lo < 2) {
      present[base + i] = 0;
      continue;
    }
    present[base + i] = 1;
    const increase = counterIncrease(windows, lo, hi, drops);
    values[base + i] = increase * (extrapolation(windows, i, increase, true) / seconds);
  }
};

export const increase: RangeKernel = (windows, out, base, from, to) => {
  const { values, present } = out;
  const drops = findDrops(windows, from, to);
  for (let i = from; i < to; i++) {
    const lo = windows.lo[i]!;
    const hi = windows.hi[i]!;
    if (hi - lo < 2) {
      present[base + i] = 0;
      continue;
    }
    present[base + i] = 1;
    const result = counterIncrease(windows, lo, hi, drops);
    values[base + i] = result * extrapolation(windows, i, result, true);
  }
};

export const delta: RangeKernel = perWindow(2, (windows, lo, hi, step) => {
  const result = windows.values[hi - 1]! - windows.values[lo]!;
  return result * extrapolation(windows, step, result, false);
});

const NO_DROPS = new Int32Array(0);

/** Indexes of the samples, within the windows of steps [from, to), that are less than the one before. */
function findDrops(windows: Windows, from: number, to: number): Int32Array {
  const { values } = windows;
  const first = windows.lo[from]!;
  const end = windows.hi[to - 1]!;
  let count = 0;
  for (let i = first + 1; i < end; i++) if (values[i]! < values[i - 1]!) count++;
  if (count === 0) return NO_DROPS;
  const drops = new Int32Array(count);
  let next = 0;
  for (let i = first + 1; i < end; i++) if (values[i]! < values[i - 1]!) drops[next++] = i;
  return drops;
}

/** Last minus first, and at each counter reset the value before it, added in the order of time. */
function counterIncrease(windows: Windows, lo: number, hi: number, drops: Int32Array): number {
  const { values } = windows;
  let result = values[hi - 1]! - values[lo]!;
  if (drops.length === 0) return result;
  let left = 0;
  let right = drops.length;
  while (left < right) {
    const middle = (left + right) >> 1;
    if (drops[middle]! <= lo) left = middle + 1;
    else right = middle;
  }
  for (let d = left; d < drops.length && drops[d]! < hi; d++) result += values[drops[d]! - 1]!;
  return result;
}

/**
 * By what the difference of the samples is multiplied to cover the whole window: up to both ends when a sample is near,
 * else half a sample's distance beyond; for a counter not beyond the point where it would have been zero.
 */
function extrapolation(windows: Windows, step: number, result: number, isCounter: boolean): number {
  const { times } = windows;
  const lo = windows.lo[step]!;
  const hi = windows.hi[step]!;
  const end = windows.ends[step]!;
  const firstTime = times[lo]!;
  const lastTime = times[hi - 1]!;
  const sampled = (lastTime - firstTime) / 1000;
  if (sampled === 0) return 1;
  let toStart = (firstTime - (end - windows.rangeMs)) / 1000;
  let toEnd = (end - lastTime) / 1000;
  const average = sampled / (hi - lo - 1);
  const threshold = average * 1.1;
  if (toStart >= threshold) toStart = average / 2;
  if (isCounter) {
    const first = windows.values[lo]!;
    if (result > 0 && first >= 0) {
      const toZero = sampled * (first / result);
      if (toZero < toStart) toStart = toZero;
    }
  }
  if (toEnd >= threshold) toEnd = average / 2;
  return (sampled + toStart + toEnd) / sampled;
}

/** Seconds as Go's Duration.Seconds computes them. */
function goSeconds(durationMs: number): number {
  const rest = durationMs % 1000;
  return (durationMs - rest) / 1000 + (rest * 1e6) / 1e9;
}

export const irate: RangeKernel = lastTwo((previous, last, intervalMs) => {
  const difference = last < previous ? last : last - previous;
  return difference / (intervalMs / 1000);
});

export const idelta: RangeKernel = lastTwo((previous, last) => last - previous);

function lastTwo(fn: (previous: number, last: number, intervalMs: number) => number): RangeKernel {
  return (windows, out, base, from, to) => {
    const { times, values } = windows;
    for (let i = from; i < to; i++) {
      const last = windows.hi[i]! - 1;
      const previous = last - 1;
      const hasTwo = previous >= windows.lo[i]! && times[last]! !== times[previous]!;
      out.present[base + i] = hasTwo ? 1 : 0;
      if (hasTwo) {
        out.values[base + i] = fn(values[previous]!, values[last]!, times[last]! - times[previous]!);
      }
    }
  };
}

export const resets: RangeKernel = perWindow(1, ({ values }, lo, hi) => {
  let count = 0;
  for (let i = lo + 1; i < hi; i++) if (values[i]! < values[i - 1]!) count++;
  return count;
});

export const changes: RangeKernel = perWindow(1, ({ values }, lo, hi) => {
  let count = 0;
  for (let i = lo + 1; i < hi; i++) {
    const current = values[i]!;
    const previous = values[i - 1]!;
    if (current !== previous && (current === current || previous === previous)) count++;
  }
  return count;
});
