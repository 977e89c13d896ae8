// hot path: kernels of rate, increase, delta, irate, idelta, changes and resets.
import type { Batch } from '../operator/operator.ts';
import type { Windows } from '../operator/windows.ts';
import { perWindow, type RangeKernel } from './range-function.ts';

export const rate: RangeKernel = (windows, out, base, from, to) => {
  const divisor = goSeconds(windows.rangeMs);
  extrapolate(windows, out, { base, from, to, divisor, drops: findDrops(windows, from, to), isCounter: true });
};

export const increase: RangeKernel = (windows, out, base, from, to) => {
  extrapolate(windows, out, { base, from, to, divisor: 1, drops: findDrops(windows, from, to), isCounter: true });
};

export const delta: RangeKernel = (windows, out, base, from, to) => {
  extrapolate(windows, out, { base, from, to, divisor: 1, drops: NO_DROPS, isCounter: false });
};

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

interface Extrapolation {
  readonly base: number;
  readonly from: number;
  readonly to: number;
  /** Seconds for a rate, else 1. */
  readonly divisor: number;
  /** Where the counter was reset. */
  readonly drops: Int32Array;
  readonly isCounter: boolean;
}

/**
 * Last minus first sample, plus at each reset the value before it in the order of time; then multiplied to cover the
 * whole window: up to an end when a sample is near it, else half a sample's distance beyond; for a counter not beyond
 * the point where it would have been zero.
 */
function extrapolate(windows: Windows, out: Batch, options: Extrapolation): void {
  const { base, from, to, divisor, drops, isCounter } = options;
  const { lo, hi, ends, times, values: samples, rangeMs } = windows;
  const { values, present } = out;
  const dropCount = drops.length;
  let firstDrop = 0;
  for (let i = from; i < to; i++) {
    const first = lo[i]!;
    const last = hi[i]! - 1;
    if (last <= first) {
      present[base + i] = 0;
      continue;
    }
    present[base + i] = 1;
    let result = samples[last]! - samples[first]!;
    while (firstDrop < dropCount && drops[firstDrop]! <= first) firstDrop++;
    for (let d = firstDrop; d < dropCount && drops[d]! <= last; d++) result += samples[drops[d]! - 1]!;

    const end = ends[i]!;
    const firstTime = times[first]!;
    const lastTime = times[last]!;
    const sampled = (lastTime - firstTime) / 1000;
    let toStart = (firstTime - (end - rangeMs)) / 1000;
    let toEnd = (end - lastTime) / 1000;
    const average = sampled / (last - first);
    const threshold = average * 1.1;
    if (toStart >= threshold) toStart = average / 2;
    if (isCounter && result > 0 && samples[first]! >= 0) {
      const toZero = sampled * (samples[first]! / result);
      if (toZero < toStart) toStart = toZero;
    }
    if (toEnd >= threshold) toEnd = average / 2;
    const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
    values[base + i] = result * (factor / divisor);
  }
}

/** Seconds as Go's Duration.Seconds computes them. */
export function goSeconds(durationMs: number): number {
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
