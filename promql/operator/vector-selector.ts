// hot path: once per series and step of every instant selector.
import { SampleColumns } from '../../model/sample.ts';
import type { SeriesSet } from '../../model/storage.ts';
import type { StepAxis } from '../value.ts';
import { detectResets } from './detect-resets.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import { fillSmoothedMixed } from './smoothed-selector.ts';
import type { Evaluation } from './evaluation.ts';
import { READY, histogramsOf, type Batch, type Operator, type SeriesList } from './operator.ts';

/** Where a selector or a range looks from: the step's time or a fixed one, minus the offset. */
export interface TimeReference {
  /** `@`: the same for every step. */
  readonly atMs: number | undefined;
  readonly offsetMs: number;
}

export interface VectorSelectorOptions {
  readonly reference: TimeReference;
  /** Give the time of the sample in seconds instead of its value: `timestamp(selector)`. */
  readonly wantsTimestamp: boolean;
  readonly isSmoothed: boolean;
  readonly notes: HistogramNotes;
  /** See `detectResets`. */
  readonly detectsResets: boolean;
  /** Throws where histograms must not be. */
  readonly onHistogram?: (() => void) | undefined;
}

/** The times a node looks from, one per step, without the offset. */
export function referenceTimes(axis: StepAxis, reference: TimeReference): Float64Array {
  const times = new Float64Array(axis.count);
  const { atMs, offsetMs } = reference;
  for (let i = 0; i < axis.count; i++) {
    times[i] = (atMs === undefined ? axis.startMs + i * axis.stepMs : atMs) - offsetMs;
  }
  return times;
}

/** The newest sample of each series within the lookback delta before each step. */
export class VectorSelectorOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #set: SeriesSet;
  readonly #times: Float64Array;
  readonly #fill: FillRow;
  readonly #columns = new SampleColumns(256);
  readonly #options: VectorSelectorOptions;
  readonly #weight: number;
  readonly #readStartMs: number;
  readonly #readEndMs: number;
  #row = 0;

  constructor(evaluation: Evaluation, set: SeriesSet, axis: StepAxis, options: VectorSelectorOptions) {
    this.#evaluation = evaluation;
    this.#set = set;
    this.#options = options;
    this.#weight = evaluation.count.weight;
    this.#times = referenceTimes(axis, options.reference);
    this.#fill = options.isSmoothed ? fillSmoothed : options.wantsTimestamp ? fillTimestamps : fillNewest;
    this.#readStartMs = this.#times[0]! - evaluation.lookbackMs + 1;
    this.#readEndMs = this.#times[axis.count - 1]! + (options.isSmoothed ? evaluation.lookbackMs : 0);
  }

  open(): number {
    return READY;
  }

  series(): SeriesList {
    const set = this.#set;
    return { count: set.count, labels: (index) => set.labels(index), dropsName: () => false };
  }

  next(batch: Batch): number {
    const { stepCount, capacity } = batch;
    const columns = this.#columns;
    const evaluation = this.#evaluation;
    const end = Math.min(this.#set.count, this.#row + capacity);
    let rows = 0;
    let samples = 0;
    batch.first = this.#row;
    batch.histograms = undefined;
    while (this.#row < end) {
      this.#set.read(this.#row++, this.#readStartMs, this.#readEndMs, columns);
      samples +=
        columns.histogramCount > 0
          ? this.#fillMixed(batch, rows * stepCount)
          : this.#fill(columns, this.#times, evaluation.lookbackMs, batch, rows * stepCount);
      rows++;
      if (evaluation.spend(columns.count + stepCount + 20)) break;
    }
    evaluation.totalSamples += samples * this.#weight;
    return rows;
  }

  /** A row of a series that has histograms. */
  #fillMixed(batch: Batch, base: number): number {
    const columns = this.#columns;
    const steps = this.#times;
    const { lookbackMs } = this.#evaluation;
    const { isSmoothed, wantsTimestamp, detectsResets, notes, onHistogram } = this.#options;
    onHistogram?.();
    if (detectsResets) detectResets(columns);
    if (isSmoothed) {
      removeStale(columns);
      const { metricName } = this.#set.labels(this.#row - 1);
      return fillSmoothedMixed({ columns, steps, lookbackMs, metricName, notes }, batch, base);
    }
    const filled = this.#fill(columns, steps, lookbackMs, batch, base);
    if (!wantsTimestamp) this.#fillHistograms(batch, base);
    return filled;
  }

  /** After `fill`, which said at which steps there is a sample. */
  #fillHistograms(batch: Batch, base: number): void {
    const { times, histograms, count } = this.#columns;
    const steps = this.#times;
    const out = histogramsOf(batch);
    let next = 0;
    for (let i = 0; i < steps.length; i++) {
      while (next < count && times[next]! <= steps[i]!) next++;
      out[base + i] = batch.present[base + i] === 1 ? histograms[next - 1] : undefined;
    }
  }

  close(): void {
    // The samples belong to the querier.
  }
}

/** Fills one row from the samples of one series; returns how many steps have a sample. */
type FillRow = (columns: SampleColumns, times: Float64Array, lookbackMs: number, out: Batch, base: number) => number;

function fillNewest(columns: SampleColumns, steps: Float64Array, lookbackMs: number, out: Batch, base: number): number {
  const { times, values, stale, count } = columns;
  const stepCount = steps.length;
  const outValues = out.values;
  const outPresent = out.present;
  let next = 0;
  let filled = 0;
  for (let i = 0; i < stepCount; i++) {
    const t = steps[i]!;
    while (next < count && times[next]! <= t) next++;
    const newest = next - 1;
    if (newest >= 0 && times[newest]! > t - lookbackMs && stale[newest] === 0) {
      outValues[base + i] = values[newest]!;
      outPresent[base + i] = 1;
      filled++;
    } else {
      outPresent[base + i] = 0;
    }
  }
  return filled;
}

function fillTimestamps(
  columns: SampleColumns,
  steps: Float64Array,
  lookbackMs: number,
  out: Batch,
  base: number,
): number {
  const { times, stale, count } = columns;
  let next = 0;
  let filled = 0;
  for (let i = 0; i < steps.length; i++) {
    const t = steps[i]!;
    while (next < count && times[next]! <= t) next++;
    const newest = next - 1;
    const isPresent = newest >= 0 && times[newest]! > t - lookbackMs && stale[newest] === 0;
    out.present[base + i] = isPresent ? 1 : 0;
    if (!isPresent) continue;
    out.values[base + i] = times[newest]! / 1000;
    filled++;
  }
  return filled;
}

/** `smoothed`: the value on the line between the neighbours of the step, or the last one carried on. */
function fillSmoothed(
  columns: SampleColumns,
  steps: Float64Array,
  lookbackMs: number,
  out: Batch,
  base: number,
): number {
  removeStale(columns);
  const { times, values, count } = columns;
  let next = 0;
  let filled = 0;
  for (let i = 0; i < steps.length; i++) {
    const t = steps[i]!;
    while (next < count && times[next]! <= t) next++;
    const before = next - 1;
    const isPresent = before >= 0 && times[before]! > t - lookbackMs;
    out.present[base + i] = isPresent ? 1 : 0;
    if (!isPresent) continue;
    filled++;
    const v = values[before]!;
    const isBetween = times[before]! < t && next < count && times[next]! <= t + lookbackMs;
    out.values[base + i] = isBetween
      ? v + ((values[next]! - v) * (t - times[before]!)) / (times[next]! - times[before]!)
      : v;
  }
  return filled;
}

/** Takes the staleness markers out of the columns, in place. */
export function removeStale(columns: SampleColumns): void {
  if (columns.staleCount === 0) return;
  const { times, values, stale, histograms } = columns;
  let kept = 0;
  for (let i = 0; i < columns.count; i++) {
    if (stale[i] === 1) continue;
    times[kept] = times[i]!;
    values[kept] = values[i]!;
    stale[kept] = 0;
    if (columns.histogramCount > 0) histograms[kept] = histograms[i];
    kept++;
  }
  columns.count = kept;
  columns.staleCount = 0;
}
