// hot path: rate, increase, delta, changes and resets over `anchored` and `smoothed` ranges. Such a window reaches
// beyond its range to find the values at its ends, instead of extrapolating to them.
import type { Batch } from '../operator/operator.ts';
import type { Windows } from '../operator/windows.ts';
import type { RangeKernel } from './range-function.ts';
import { changes, goSeconds, resets } from './rate.ts';

/** Index of the newest sample at or before the start of the range, or else of the first one. */
function baselineOf({ times, ends, rangeMs, lo, hi }: Windows, step: number): number {
  const start = ends[step]! - rangeMs;
  let index = lo[step]!;
  while (index + 1 < hi[step]! && times[index + 1]! <= start) index++;
  return index;
}

/** The value at `timeMs` on the line between two samples; a counter that was reset between them starts at 0. */
function interpolate({ times, values }: Windows, before: number, timeMs: number, isCounter: boolean): number {
  const after = values[before + 1]!;
  const from = isCounter && after < values[before]! ? 0 : values[before]!;
  return from + ((after - from) * (timeMs - times[before]!)) / (times[before + 1]! - times[before]!);
}

/** What the counter lost by resets on the way from `left` over the samples between to `right`. */
function lostByResets(values: Float64Array, left: number, right: number, from: number, to: number): number {
  let lost = 0;
  let previous = left;
  for (let i = from; i < to; i++) {
    if (values[i]! < previous) lost += previous;
    previous = values[i]!;
  }
  return right < previous ? lost + previous : lost;
}

interface Variant {
  readonly isSmoothed: boolean;
  readonly isCounter: boolean;
  readonly isRate: boolean;
}

function difference(variant: Variant): RangeKernel {
  return (windows, out, base, from, to) => {
    const divisor = variant.isRate ? goSeconds(windows.rangeMs) : 1;
    for (let i = from; i < to; i++) differenceAt(windows, out, base, i, { ...variant, divisor });
  };
}

function differenceAt(
  windows: Windows,
  out: Batch,
  base: number,
  step: number,
  { isSmoothed, isCounter, divisor }: Variant & { readonly divisor: number },
): void {
  const { times, values, ends, rangeMs, lo, hi } = windows;
  const end = ends[step]!;
  const start = end - rangeMs;
  out.present[base + step] = 0;
  if (hi[step]! === lo[step]!) return;
  const first = baselineOf(windows, step);
  let last = hi[step]! - 1;
  if (isSmoothed) {
    last = first;
    while (last < hi[step]! - 1 && times[last]! < end) last++;
    if (times[first]! > end) return;
  }
  if (times[last]! <= start) return;
  const cutsLeft = isSmoothed && times[first]! < start && first < last;
  const cutsRight = isSmoothed && times[last]! > end && last > first;
  const left = cutsLeft ? interpolate(windows, first, start, isCounter) : values[first]!;
  const right = cutsRight ? interpolate(windows, last - 1, end, isCounter) : values[last]!;
  let result = right - left;
  if (isCounter) {
    let inner = first;
    while (inner <= last && times[inner]! <= start) inner++;
    let innerEnd = last + 1;
    while (innerEnd > inner && times[innerEnd - 1]! >= end) innerEnd--;
    result += lostByResets(values, left, right, inner, innerEnd);
  }
  out.values[base + step] = result / divisor;
  out.present[base + step] = 1;
}

/** A count over the samples of the range and the one before it. */
function fromBaseline(kernel: RangeKernel): RangeKernel {
  return (windows, out, base, from, to) => {
    const { times, ends, rangeMs, hi } = windows;
    const lo = windows.lo.slice();
    for (let i = from; i < to; i++) {
      lo[i] = hi[i]! > lo[i]! ? baselineOf(windows, i) : lo[i]!;
      // Nothing in the range itself: no result.
      if (hi[i]! > lo[i]! && times[hi[i]! - 1]! <= ends[i]! - rangeMs) lo[i] = hi[i]!;
    }
    kernel({ ...windows, lo }, out, base, from, to);
  };
}

export const ANCHORED_KERNELS: ReadonlyMap<string, RangeKernel> = new Map([
  ['changes', fromBaseline(changes)],
  ['delta', difference({ isSmoothed: false, isCounter: false, isRate: false })],
  ['increase', difference({ isSmoothed: false, isCounter: true, isRate: false })],
  ['rate', difference({ isSmoothed: false, isCounter: true, isRate: true })],
  ['resets', fromBaseline(resets)],
]);

export const SMOOTHED_KERNELS: ReadonlyMap<string, RangeKernel> = new Map([
  ['delta', difference({ isSmoothed: true, isCounter: false, isRate: false })],
  ['increase', difference({ isSmoothed: true, isCounter: true, isRate: false })],
  ['rate', difference({ isSmoothed: true, isCounter: true, isRate: true })],
]);
