import { FloatHistogram } from '../../model/float-histogram.ts';
import { addHistograms, subtractHistograms } from '../../model/histogram-arithmetic.ts';
import { isReset } from '../../model/histogram-reset.ts';
import type { HistogramWindow } from '../operator/mixed-windows.ts';
import { goSeconds } from './rate.ts';

/** Adds; undefined, and a note, where one has exponential and the other custom buckets. */
export function addNoted(a: FloatHistogram, b: FloatHistogram, window: HistogramWindow): FloatHistogram | undefined {
  const sum = addHistograms(a, b);
  if (!sum) window.notes.mixedSchemas(window.metricName);
  if (sum?.boundsReconciled === true) window.notes.boundsReconciled('addition');
  return sum?.histogram;
}

export function subtractNoted(
  a: FloatHistogram,
  b: FloatHistogram,
  window: HistogramWindow,
): FloatHistogram | undefined {
  const difference = subtractHistograms(a, b);
  if (!difference) window.notes.mixedSchemas(window.metricName);
  if (difference?.boundsReconciled === true) window.notes.boundsReconciled('subtraction');
  return difference?.histogram;
}

export function histogramRate(window: HistogramWindow): FloatHistogram | undefined {
  return extrapolated(window, true, goSeconds(window.rangeMs));
}

export function histogramIncrease(window: HistogramWindow): FloatHistogram | undefined {
  return extrapolated(window, true, 1);
}

export function histogramDelta(window: HistogramWindow): FloatHistogram | undefined {
  return extrapolated(window, false, 1);
}

/** As rate does with floats; the point of zero is found by the number of observations. */
function extrapolated(window: HistogramWindow, isCounter: boolean, divisor: number): FloatHistogram | undefined {
  const { floatLo, floatHi, times, histograms, lo, hi, endMs, rangeMs } = window;
  if (floatHi > floatLo) {
    window.notes.mixedWithFloats(window.metricName);
    return undefined;
  }
  if (hi - lo < 2) return undefined;
  const change = isCounter ? counterChange(window) : gaugeChange(window);
  if (!change) return undefined;
  const sampled = (times[hi - 1]! - times[lo]!) / 1000;
  let toStart = (times[lo]! - (endMs - rangeMs)) / 1000;
  let toEnd = (endMs - times[hi - 1]!) / 1000;
  const average = sampled / (hi - lo - 1);
  const threshold = average * 1.1;
  if (toStart >= threshold) toStart = average / 2;
  const firstCount = histograms[lo]!.count;
  if (isCounter && change.count > 0 && firstCount >= 0) {
    const toZero = sampled * (firstCount / change.count);
    if (toZero < toStart) toStart = toZero;
  }
  if (toEnd >= threshold) toEnd = average / 2;
  const factor = sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
  return change.scale(factor / divisor);
}

function gaugeChange(window: HistogramWindow): FloatHistogram | undefined {
  const { histograms, lo, hi, notes, metricName } = window;
  const first = histograms[lo]!;
  const last = histograms[hi - 1]!;
  if (first.hasCustomBuckets !== last.hasCustomBuckets) {
    notes.mixedSchemas(metricName);
    return undefined;
  }
  const change = subtractNoted(last, first, window);
  if (first.hint !== 'gauge' || last.hint !== 'gauge') notes.notGauge(metricName);
  return change?.withHint('gauge').compact();
}

/** Last less first, plus what was there before each reset. A first one that a reset follows counts as empty. */
function counterChange(window: HistogramWindow): FloatHistogram | undefined {
  const { histograms, lo, hi, notes, metricName } = window;
  const last = histograms[hi - 1]!;
  const second = histograms[lo + 1]!;
  const isFirstLost = isReset(second, histograms[lo]!);
  const first = isFirstLost ? FloatHistogram.emptyLike(second) : histograms[lo]!;
  const used = [first, ...histograms.slice(lo + 1, hi)];
  if (used.some((each) => each.hasCustomBuckets !== last.hasCustomBuckets)) {
    notes.mixedSchemas(metricName);
    return undefined;
  }
  if (histograms.slice(lo, hi).some(({ hint }) => hint === 'gauge')) notes.notCounter(metricName);
  const schema = used.reduce((least, each) => Math.min(least, each.schema), last.schema);
  let change = subtractNoted(last.reduce(schema), first, window);
  for (let i = 1; i < used.length && change; i++) {
    if (isReset(used[i]!, used[i - 1]!)) change = addNoted(change, used[i - 1]!, window);
  }
  return change?.withHint('gauge').compact();
}

export function histogramIrate(window: HistogramWindow): FloatHistogram | number | undefined {
  return lastTwo(window, true);
}

export function histogramIdelta(window: HistogramWindow): FloatHistogram | number | undefined {
  return lastTwo(window, false);
}

/** The difference of the two newest samples, which must be of one type; of a counter, by second. */
function lastTwo(window: HistogramWindow, isRate: boolean): FloatHistogram | number | undefined {
  const { floatTimes, floatLo, floatHi, times, histograms, lo, hi, notes, metricName } = window;
  if (floatHi - floatLo + hi - lo < 2) return undefined;
  const newerFloats = countAfter(floatTimes, floatLo, floatHi, times[hi - 1]!);
  if (newerFloats > 1) return window.floatResult;
  const previousTime = hi - lo > 1 ? times[hi - 2]! : -Infinity;
  const isMixed = newerFloats === 1 || countAfter(floatTimes, floatLo, floatHi, previousTime) > 0;
  if (isMixed) {
    notes.mixedWithFloats(metricName);
    return undefined;
  }
  const last = histograms[hi - 1]!;
  const previous = histograms[hi - 2]!;
  const intervalMs = times[hi - 1]! - previousTime;
  if (intervalMs === 0) return undefined;
  const areGauges = last.hint === 'gauge' && previous.hint === 'gauge';
  if (isRate && (last.hint === 'gauge' || previous.hint === 'gauge')) notes.notCounter(metricName);
  if (!isRate && !areGauges) notes.notGauge(metricName);
  const isWhole = isRate && isReset(last, previous);
  const change = isWhole ? last : subtractNoted(last, previous, window);
  const result = change?.withHint('gauge').compact();
  return isRate ? result?.divide(intervalMs / 1000) : result;
}

/** How many of the times [from, to) are after one. */
function countAfter(times: Float64Array, from: number, to: number, afterMs: number): number {
  let count = 0;
  while (count < to - from && times[to - 1 - count]! > afterMs) count++;
  return count;
}
