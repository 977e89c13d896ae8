import type { SampleColumns } from '../../model/sample.ts';
import { interpolateHistograms } from '../functions/histogram-extended.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import { histogramsOf, type Batch } from './operator.ts';

export interface SmoothedRow {
  /** Without staleness markers. */
  readonly columns: SampleColumns;
  readonly steps: Float64Array;
  readonly lookbackMs: number;
  readonly metricName: string;
  readonly notes: HistogramNotes;
}

/**
 * An instant selector that is `smoothed`, over a series with histograms: at each step the sample on the line between the
 * neighbours within the lookback delta, or the last one carried on. Returns how many steps have a sample.
 */
export function fillSmoothedMixed(row: SmoothedRow, out: Batch, base: number): number {
  const { columns, steps, lookbackMs, metricName, notes } = row;
  const { times, histograms, count } = columns;
  const column = histogramsOf(out);
  let lo = 0;
  let hi = 0;
  let next = 0;
  let filled = 0;
  for (let i = 0; i < steps.length; i++) {
    const t = steps[i]!;
    while (hi < count && times[hi]! <= t + lookbackMs) hi++;
    while (lo < hi && times[lo]! <= t - lookbackMs) lo++;
    while (next < count && times[next]! < t) next++;
    column[base + i] = undefined;
    out.present[base + i] = 0;
    const window = histograms.slice(lo, hi);
    if (window.includes(undefined) && window.some((histogram) => histogram !== undefined)) {
      notes.mixedWithFloats(metricName);
      continue;
    }
    const isExact = next < hi && times[next]! === t;
    if (!isExact && next <= lo) continue;
    if (!writeBetween(row, out, base + i, { t, next, hasNext: next < hi, isExact })) continue;
    out.present[base + i] = 1;
    filled++;
  }
  return filled;
}

interface Place {
  readonly t: number;
  /** First sample at or after `t`. */
  readonly next: number;
  readonly hasNext: boolean;
  readonly isExact: boolean;
}

/** Writes the sample at `t`; false where there is none. All samples around are of one type. */
function writeBetween(row: SmoothedRow, out: Batch, cell: number, { t, next, hasNext, isExact }: Place): boolean {
  const { times, values, histograms } = row.columns;
  const { notes, metricName } = row;
  const before = isExact ? next : next - 1;
  const histogram = histograms[before];
  if (histogram === undefined) {
    const v = values[before]!;
    const slope = hasNext && !isExact ? (values[next]! - v) / (times[next]! - times[before]!) : 0;
    out.values[cell] = slope === 0 ? v : v + slope * (t - times[before]!);
    return true;
  }
  const after = histograms[next];
  if (isExact || !hasNext || after === undefined) {
    histogramsOf(out)[cell] = isExact ? histogram : histogram.withHint('unknown');
    return true;
  }
  const isCounter = histogram.hint !== 'gauge' || after.hint !== 'gauge';
  const left = { timeMs: times[before]!, histogram };
  const between =
    histogram.hasCustomBuckets === after.hasCustomBuckets
      ? interpolateHistograms(left, { timeMs: times[next]!, histogram: after }, t, isCounter, notes)
      : undefined;
  if (between === undefined) notes.mixedSchemas(metricName);
  histogramsOf(out)[cell] = between;
  return between !== undefined;
}
