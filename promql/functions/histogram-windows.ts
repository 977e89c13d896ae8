import type { FloatHistogram } from '../../model/float-histogram.ts';
import { isReset } from '../../model/histogram-reset.ts';
import { meanOf, sumOf, type HistogramFold } from '../operator/histogram-cells.ts';
import type { HistogramWindow } from '../operator/mixed-windows.ts';
import { histogramDelta, histogramIdelta, histogramIncrease, histogramIrate, histogramRate } from './histogram-rate.ts';

/** What a function makes of a window in which there is a histogram: a sample, or undefined for none. */
export type HistogramWindowFunction = (window: HistogramWindow) => FloatHistogram | number | undefined;

/** Functions that have a meaning for floats only go on without the histograms, and say so where there are both. */
const floatsOnly: HistogramWindowFunction = ({ floatLo, floatHi, floatResult, notes, metricName }) => {
  if (floatHi > floatLo) notes.ignoredInRange(metricName);
  return floatResult;
};

function folded(create: (first: FloatHistogram) => HistogramFold): HistogramWindowFunction {
  return ({ floatLo, floatHi, histograms, lo, hi, notes, metricName }) => {
    if (floatHi > floatLo) {
      notes.mixedWithFloats(metricName);
      return undefined;
    }
    const fold = create(histograms[lo]!);
    let isReconciled = false;
    for (let i = lo + 1; i < hi; i++) {
      const outcome = fold.add(histograms[i]!);
      if (outcome === 'reconciled') isReconciled = true;
      if (outcome === 'incompatible') {
        notes.mixedSchemas(metricName);
        return undefined;
      }
    }
    const hints = histograms.slice(lo, hi).map(({ hint }) => hint);
    if (hints.includes('reset') && hints.includes('not_reset')) notes.resetsCollide('aggregation');
    if (isReconciled) notes.boundsReconciled('aggregation');
    return fold.result();
  };
}

/** True when the oldest sample of the window is a histogram. */
function beginsWithHistogram({ floatTimes, floatLo, floatHi, times, lo }: HistogramWindow): boolean {
  return floatLo === floatHi || !(floatTimes[floatLo]! < times[lo]!);
}

function endsWithHistogram({ floatTimes, floatLo, floatHi, times, hi }: HistogramWindow): boolean {
  return floatLo === floatHi || !(times[hi - 1]! < floatTimes[floatHi - 1]!);
}

/** Counts the pairs of neighbours for which a test holds; a float beside a histogram always counts. */
function countPairs(
  floatsDiffer: (current: number, previous: number) => boolean,
  histogramsDiffer: (current: FloatHistogram, previous: FloatHistogram) => boolean,
): HistogramWindowFunction {
  return ({ floatTimes, floatValues, floatLo, floatHi, times, histograms, lo, hi }) => {
    let count = 0;
    let previous: number | FloatHistogram | undefined;
    let f = floatLo;
    let h = lo;
    while (f < floatHi || h < hi) {
      const isFloat = h === hi || (f < floatHi && floatTimes[f]! < times[h]!);
      const current = isFloat ? floatValues[f++]! : histograms[h++]!;
      if (previous !== undefined) {
        if (typeof current === 'number') {
          if (typeof previous !== 'number' || floatsDiffer(current, previous)) count++;
        } else if (typeof previous === 'number' || histogramsDiffer(current, previous)) count++;
      }
      previous = current;
    }
    return count;
  };
}

const resets = countPairs((current, previous) => current < previous, isReset);
const changes = countPairs(
  (current, previous) => current !== previous && (current === current || previous === previous),
  (current, previous) => !current.equals(previous),
);

/** By the names of functions. Those that are missing here are for floats only. */
const FUNCTIONS: ReadonlyMap<string, HistogramWindowFunction> = new Map<string, HistogramWindowFunction>([
  ['rate', histogramRate],
  ['increase', histogramIncrease],
  ['delta', histogramDelta],
  ['irate', histogramIrate],
  ['idelta', histogramIdelta],
  ['resets', resets],
  ['changes', changes],
  ['sum_over_time', folded(sumOf)],
  ['avg_over_time', folded(meanOf)],
  ['count_over_time', ({ floatLo, floatHi, lo, hi }) => floatHi - floatLo + hi - lo],
  ['present_over_time', () => 1],
  [
    'first_over_time',
    (window) => (beginsWithHistogram(window) ? window.histograms[window.lo]! : window.floatValues[window.floatLo]!),
  ],
  [
    'last_over_time',
    (window) =>
      endsWithHistogram(window) ? window.histograms[window.hi - 1]! : window.floatValues[window.floatHi - 1]!,
  ],
  [
    'ts_of_first_over_time',
    (window) => (beginsWithHistogram(window) ? window.times[window.lo]! : window.floatTimes[window.floatLo]!) / 1000,
  ],
  [
    'ts_of_last_over_time',
    (window) =>
      (endsWithHistogram(window) ? window.times[window.hi - 1]! : window.floatTimes[window.floatHi - 1]!) / 1000,
  ],
]);

export function histogramWindowFunction(name: string): HistogramWindowFunction {
  return FUNCTIONS.get(name) ?? floatsOnly;
}
