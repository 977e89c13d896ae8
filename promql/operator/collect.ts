import { Labels } from '../../model/labels.ts';
import { CodedError } from '../../util/errors.ts';
import type { ResultSeries } from '../value.ts';
import { SAME_LABELSET } from './distinct.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, createBatch, createHistograms } from './operator.ts';
import type { Batch, HistogramColumn, Operator } from './operator.ts';
import type { RangeSource } from './range-source.ts';
import { dropName } from './series-list.ts';

/** Reads an operator to its end and makes the result series of it. */
export class Collector {
  readonly #evaluation: Evaluation;
  readonly #source: Operator;
  readonly #stepTimes: Float64Array;
  readonly #batch: Batch;
  readonly #series: ResultSeries[] = [];
  #isOpen = false;
  #hasDropped = false;

  constructor(evaluation: Evaluation, source: Operator, stepTimes: Float64Array) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#stepTimes = stepTimes;
    this.#batch = createBatch(stepTimes.length);
  }

  /** READY when all series are there, or PENDING. */
  run(): number {
    if (!this.#isOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isOpen = true;
    }
    for (;;) {
      const rows = this.#source.next(this.#batch);
      if (rows === PENDING) return PENDING;
      if (rows === 0) return READY;
      for (let r = 0; r < rows; r++) this.#take(r);
      if (this.#evaluation.spend(rows * this.#stepTimes.length)) return PENDING;
    }
  }

  /** Value of the only series at the first step, for scalars. */
  get firstValue(): number {
    return this.#series[0]?.values[0] ?? NaN;
  }

  /** The series, in the order in which they came, with names dropped that were to be dropped at the end. */
  takeSeries(): ResultSeries[] {
    return this.#hasDropped ? joinEqual(this.#series) : this.#series;
  }

  #take(row: number): void {
    const { first, values, present, histograms } = this.#batch;
    const times = this.#stepTimes;
    const stepCount = times.length;
    const base = row * stepCount;
    let count = 0;
    for (let i = 0; i < stepCount; i++) count += present[base + i]!;
    if (count === 0) return;
    const list = this.#source.series();
    let labels = list.labels(first + row);
    if (list.dropsName(first + row)) {
      labels = dropName(labels);
      this.#hasDropped = true;
    }
    this.#evaluation.reserveBytes(count * 16);
    if (histograms !== undefined) {
      this.#takeMixed(labels, row, count, histograms);
      return;
    }
    if (count === stepCount) {
      // The axis is shared: results are read, never written.
      this.#series.push({ labels, times, values: values.slice(base, base + stepCount) });
      return;
    }
    const ownTimes = new Float64Array(count);
    const ownValues = new Float64Array(count);
    let next = 0;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      ownTimes[next] = times[i]!;
      ownValues[next] = values[base + i]!;
      next++;
    }
    this.#series.push({ labels, times: ownTimes, values: ownValues });
  }

  #takeMixed(labels: Labels, row: number, count: number, column: HistogramColumn): void {
    const { values, present, stepCount } = this.#batch;
    const ownTimes = new Float64Array(count);
    const ownValues = new Float64Array(count);
    const histograms = createHistograms(count);
    let next = 0;
    for (let i = 0; i < stepCount; i++) {
      const cell = row * stepCount + i;
      if (present[cell] === 0) continue;
      ownTimes[next] = this.#stepTimes[i]!;
      ownValues[next] = column[cell] ? NaN : values[cell]!;
      histograms[next++] = column[cell];
      this.#evaluation.reserveBytes((column[cell]?.sampleWeight ?? 0) * 16);
    }
    this.#series.push({ labels, times: ownTimes, values: ownValues, histograms });
  }

  close(): void {
    this.#source.close();
  }
}

/** Reads a range vector as an instant query returns it: raw samples of one window. */
export class RangeCollector {
  readonly #evaluation: Evaluation;
  readonly #source: RangeSource;
  readonly #afterMs: number;
  readonly #endMs: number;
  readonly #series: ResultSeries[] = [];
  #isOpen = false;
  #row = 0;
  #hasDropped = false;

  /** Samples in the left-open interval (afterMs, endMs]. */
  constructor(evaluation: Evaluation, source: RangeSource, afterMs: number, endMs: number) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#afterMs = afterMs;
    this.#endMs = endMs;
  }

  run(): number {
    if (!this.#isOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isOpen = true;
    }
    const list = this.#source.series();
    for (; this.#row < list.count; this.#row++) {
      if (this.#evaluation.isSpent) return PENDING;
      const columns = this.#source.next();
      if (columns === undefined) return PENDING;
      const { times, values, count } = columns;
      let from = 0;
      while (from < count && times[from]! <= this.#afterMs) from++;
      let to = count;
      while (to > from && times[to - 1]! > this.#endMs) to--;
      this.#evaluation.spend(count + 20);
      if (to === from) continue;
      this.#evaluation.count.addSamples(to - from);
      this.#evaluation.totalSamples += to - from;
      this.#evaluation.reserveBytes((to - from) * 16);
      const drops = list.dropsName(this.#row);
      this.#hasDropped ||= drops;
      const labels = list.labels(this.#row);
      this.#series.push({
        labels: drops ? dropName(labels) : labels,
        times: times.slice(from, to),
        values: values.slice(from, to),
        histograms: columns.histogramCount > 0 ? columns.histograms.slice(from, to) : undefined,
      });
    }
    return this.#source.finish();
  }

  takeSeries(): ResultSeries[] {
    return this.#hasDropped ? joinEqual(this.#series) : this.#series;
  }

  close(): void {
    this.#source.close();
  }
}

/** Joins series that have the same labels now that names are dropped. Throws where two have a sample at one time. */
function joinEqual(series: readonly ResultSeries[]): ResultSeries[] {
  const byKey = new Map<string, ResultSeries>();
  for (const one of series) {
    const key = one.labels.key();
    const other = byKey.get(key);
    byKey.set(key, other === undefined ? one : join(other, one));
  }
  return [...byKey.values()];
}

function join(a: ResultSeries, b: ResultSeries): ResultSeries {
  const count = a.times.length + b.times.length;
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  const histograms = a.histograms || b.histograms ? createHistograms(count) : undefined;
  let i = 0;
  let j = 0;
  for (let k = 0; k < count; k++) {
    const fromA = j === b.times.length || (i < a.times.length && a.times[i]! < b.times[j]!);
    if (!fromA && i < a.times.length && a.times[i] === b.times[j]) throw new CodedError('execution', SAME_LABELSET);
    times[k] = fromA ? a.times[i]! : b.times[j]!;
    values[k] = fromA ? a.values[i]! : b.values[j]!;
    if (histograms) histograms[k] = fromA ? a.histograms?.[i] : b.histograms?.[j];
    if (fromA) i++;
    else j++;
  }
  return { labels: a.labels, times, values, histograms };
}

/** Matrix results are sorted by labels. Throws when two series have the same. */
export function sortByLabels(series: ResultSeries[]): void {
  series.sort((a, b) => Labels.compare(a.labels, b.labels));
  for (let i = 1; i < series.length; i++) {
    if (series[i]!.labels.equals(series[i - 1]!.labels)) throw new CodedError('execution', SAME_LABELSET);
  }
}
