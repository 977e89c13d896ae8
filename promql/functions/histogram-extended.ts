import { addHistograms, subtractHistograms } from '../../model/histogram-arithmetic.ts';
import type { FloatHistogram } from '../../model/float-histogram.ts';
import { isReset } from '../../model/histogram-reset.ts';
import type { HistogramNotes } from '../operator/histogram-notes.ts';
import type { HistogramWindow } from '../operator/mixed-windows.ts';
import { addNoted, subtractNoted } from './histogram-rate.ts';
import { histogramWindowFunction, type HistogramWindowFunction } from './histogram-windows.ts';
import { goSeconds } from './rate.ts';

// Functions of `anchored` and `smoothed` ranges over histograms; see extended-rate.ts for floats.

interface Timed {
  readonly timeMs: number;
  readonly histogram: FloatHistogram;
}

/**
 * The histogram on the line between two at `timeMs`; a counter that was reset between them starts at 0. Undefined where
 * one has exponential and the other custom buckets.
 */
export function interpolateHistograms(
  before: Timed,
  after: Timed,
  timeMs: number,
  isCounter: boolean,
  notes: HistogramNotes,
): FloatHistogram | undefined {
  if (timeMs === before.timeMs) return before.histogram;
  if (timeMs === after.timeMs) return after.histogram;
  const fraction = (timeMs - before.timeMs) / (after.timeMs - before.timeMs);
  if (isCounter && isReset(after.histogram, before.histogram)) return after.histogram.scale(fraction);
  const difference = subtractHistograms(after.histogram, before.histogram);
  const result = difference && addHistograms(difference.histogram.scale(fraction), before.histogram);
  if (difference?.boundsReconciled === true) notes.boundsReconciled('subtraction');
  if (result?.boundsReconciled === true) notes.boundsReconciled('addition');
  return result?.histogram;
}

interface Variant {
  readonly isSmoothed: boolean;
  readonly isCounter: boolean;
  readonly isRate: boolean;
}

function difference(variant: Variant): HistogramWindowFunction {
  return (window) => {
    const { floatLo, floatHi, histograms, notes, metricName, rangeMs } = window;
    if (floatHi > floatLo) {
      notes.mixedWithFloats(metricName);
      return undefined;
    }
    const place = placeOf(window, variant.isSmoothed);
    if (!place) return undefined;
    const used = histograms.slice(place.first, place.last + 1);
    if (used.some((each) => each.hasCustomBuckets !== used[0]!.hasCustomBuckets)) {
      notes.mixedSchemas(metricName);
      return undefined;
    }
    if (variant.isCounter && used.some(({ hint }) => hint === 'gauge')) notes.notCounter(metricName);
    const change = changeOf(window, place, variant);
    const result = change && variant.isRate ? change.divide(goSeconds(rangeMs)) : change;
    return result?.withHint('gauge').compact();
  };
}

/** The samples at the ends of a range: indexes into the window's histograms. */
interface Ends {
  readonly first: number;
  readonly last: number;
}

/** From the newest sample at or before the start, to the newest, or of a smoothed range the one at or after the end. */
function placeOf({ times, lo, hi, endMs, rangeMs }: HistogramWindow, isSmoothed: boolean): Ends | undefined {
  const start = endMs - rangeMs;
  let first = lo;
  while (first + 1 < hi && times[first + 1]! <= start) first++;
  let last = hi - 1;
  if (isSmoothed) {
    last = lo;
    while (last < hi - 1 && times[last]! < endMs) last++;
    if (times[first]! > endMs) return undefined;
  }
  return times[last]! <= start ? undefined : { first, last };
}

function changeOf(window: HistogramWindow, ends: Ends, variant: Variant): FloatHistogram | undefined {
  const left = leftOf(window, ends, variant);
  const right = rightOf(window, ends, variant);
  if (!left || !right) return undefined;
  if (variant.isCounter) return counterChange(window, ends, left, right, variant);
  if (left.hint !== 'gauge' || right.hint !== 'gauge') window.notes.notGauge(window.metricName);
  return subtractNoted(right, left, window);
}

function counterChange(
  window: HistogramWindow,
  { first, last }: Ends,
  left: FloatHistogram,
  right: FloatHistogram,
  variant: Variant,
): FloatHistogram | undefined {
  const { histograms } = window;
  // A reset that the left end lies in is in its value already.
  const isSpanned = isCutLeft(window, first, variant) && isReset(histograms[first + 1]!, histograms[first]!);
  const from = first + (isSpanned ? 2 : 1);
  let result = subtractNoted(right, left, window);
  if (from > last) return result;
  let previous = isSpanned ? histograms[first + 1]! : left;
  for (const current of [...histograms.slice(from, last), right]) {
    if (result && isReset(current, previous)) result = addNoted(result, previous, window);
    previous = current;
  }
  return result;
}

function isCutLeft({ times, endMs, rangeMs }: HistogramWindow, first: number, { isSmoothed }: Variant): boolean {
  return isSmoothed && times[first]! < endMs - rangeMs;
}

function leftOf(window: HistogramWindow, { first }: Ends, variant: Variant): FloatHistogram | undefined {
  const start = window.endMs - window.rangeMs;
  if (!isCutLeft(window, first, variant)) return window.histograms[first]!;
  return interpolateHistograms(timed(window, first), timed(window, first + 1), start, variant.isCounter, window.notes);
}

function rightOf(window: HistogramWindow, { last }: Ends, variant: Variant): FloatHistogram | undefined {
  const { times, histograms, lo, endMs, notes } = window;
  if (!variant.isSmoothed || last === lo || times[last]! <= endMs) return histograms[last]!;
  return interpolateHistograms(timed(window, last - 1), timed(window, last), endMs, variant.isCounter, notes);
}

function timed({ times, histograms }: HistogramWindow, index: number): Timed {
  return { timeMs: times[index]!, histogram: histograms[index]! };
}

/** A count over the samples of the range and the newest one before it, be it a float or a histogram. */
function fromBaseline(name: string): HistogramWindowFunction {
  const count = histogramWindowFunction(name);
  return (window) => {
    const { floatTimes, floatLo, floatHi, times, lo, hi, endMs, rangeMs } = window;
    const start = endMs - rangeMs;
    const floatFirst = firstAfter(floatTimes, floatLo, floatHi, start);
    const first = firstAfter(times, lo, hi, start);
    if (floatFirst === floatHi && first === hi) return undefined;
    const floatTime = floatFirst > floatLo ? floatTimes[floatFirst - 1]! : -Infinity;
    const time = first > lo ? times[first - 1]! : -Infinity;
    if (floatTime === time) return count({ ...window, floatLo: floatFirst, lo: first });
    return floatTime > time
      ? count({ ...window, floatLo: floatFirst - 1, lo: first })
      : count({ ...window, floatLo: floatFirst, lo: first - 1 });
  };
}

function firstAfter(times: Float64Array, from: number, to: number, afterMs: number): number {
  let index = from;
  while (index < to && times[index]! <= afterMs) index++;
  return index;
}

const EXTENDED: ReadonlyMap<string, HistogramWindowFunction> = new Map<string, HistogramWindowFunction>([
  ['anchored changes', fromBaseline('changes')],
  ['anchored resets', fromBaseline('resets')],
  ['anchored delta', difference({ isSmoothed: false, isCounter: false, isRate: false })],
  ['anchored increase', difference({ isSmoothed: false, isCounter: true, isRate: false })],
  ['anchored rate', difference({ isSmoothed: false, isCounter: true, isRate: true })],
  ['smoothed delta', difference({ isSmoothed: true, isCounter: false, isRate: false })],
  ['smoothed increase', difference({ isSmoothed: true, isCounter: true, isRate: false })],
  ['smoothed rate', difference({ isSmoothed: true, isCounter: true, isRate: true })],
]);

/** What a function of a range vector makes of histograms. */
export function rangeHistogramFunction(
  name: string,
  extension: 'anchored' | 'smoothed' | undefined,
): HistogramWindowFunction {
  return EXTENDED.get(`${extension ?? ''} ${name}`) ?? histogramWindowFunction(name);
}
