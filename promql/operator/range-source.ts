import type { FloatHistogram } from '../../model/float-histogram.ts';
import { SampleColumns } from '../../model/sample.ts';
import type { SeriesSet } from '../../model/storage.ts';
import type { Evaluation } from './evaluation.ts';
import { detectResets } from './detect-resets.ts';
import { PENDING, READY, createBatch } from './operator.ts';
import type { Batch, HistogramColumn, Operator, SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';
import { removeStale } from './vector-selector.ts';

/** Where a range function's samples come from: series one after the other, without staleness markers. */
export interface RangeSource {
  /** READY or PENDING. */
  open(): number;
  series(): SeriesList;
  /** The samples of the next series, lent until the next call; undefined for PENDING. Called `series().count` times at most. */
  next(): SampleColumns | undefined;
  /** Called after the last series: what fails only at the end of the input fails here. READY or PENDING. */
  finish(): number;
  close(): void;
}

/** Samples of a range selector, read from storage. */
export class MatrixSelectorSource implements RangeSource {
  readonly #set: SeriesSet;
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #columns = new SampleColumns();
  readonly #detectsResets: boolean;
  #row = 0;

  /** Samples in [startMs, endMs] are read. For `detectsResets` see there. */
  constructor(set: SeriesSet, startMs: number, endMs: number, detectsResets: boolean) {
    this.#set = set;
    this.#detectsResets = detectsResets;
    this.#startMs = startMs;
    this.#endMs = endMs;
  }

  open(): number {
    return READY;
  }

  series(): SeriesList {
    const set = this.#set;
    return { count: set.count, labels: (index) => set.labels(index), dropsName: () => false };
  }

  next(): SampleColumns | undefined {
    const columns = this.#columns;
    this.#set.read(this.#row++, this.#startMs, this.#endMs, columns);
    removeStale(columns);
    if (this.#detectsResets && columns.histogramCount > 0) detectResets(columns);
    return columns;
  }

  finish(): number {
    return READY;
  }

  close(): void {
    this.#row = 0;
  }
}

/** No series: a subquery whose window holds none of its steps. */
export class EmptySource implements RangeSource {
  open(): number {
    return READY;
  }

  series(): SeriesList {
    return listOf([]);
  }

  next(): undefined {
    return undefined;
  }

  finish(): number {
    return READY;
  }

  close(): void {
    // There is nothing to give back.
  }
}

/** Samples of a subquery: the inner expression at each of its own steps. */
export class SubquerySource implements RangeSource {
  readonly #inner: Operator;
  readonly #batch: Batch;
  readonly #innerTimes: Float64Array;
  readonly #columns: SampleColumns;
  readonly #evaluation: Evaluation;
  #rows = 0;
  #row = 0;

  /** `innerTimes` are the steps at which `inner` is evaluated. */
  constructor(evaluation: Evaluation, inner: Operator, innerTimes: Float64Array) {
    this.#evaluation = evaluation;
    this.#inner = inner;
    this.#innerTimes = innerTimes;
    this.#batch = createBatch(Math.max(1, innerTimes.length));
    this.#columns = new SampleColumns(Math.max(1, innerTimes.length));
  }

  open(): number {
    return this.#inner.open();
  }

  series(): SeriesList {
    return this.#inner.series();
  }

  next(): SampleColumns | undefined {
    if (this.#row === this.#rows) {
      this.#rows = 0;
      this.#row = 0;
      const rows = this.#inner.next(this.#batch);
      if (rows === PENDING) return undefined;
      this.#rows = rows;
    }
    const { values, present, histograms } = this.#batch;
    const times = this.#innerTimes;
    const stepCount = times.length;
    const base = this.#row++ * stepCount;
    const columns = this.#columns;
    let count = 0;
    for (let i = 0; i < stepCount; i++) {
      if (present[base + i] === 0) continue;
      columns.times[count] = times[i]!;
      columns.values[count] = values[base + i]!;
      count++;
    }
    columns.histogramCount = 0;
    if (histograms !== undefined) this.#addHistograms(histograms, base);
    columns.count = count;
    this.#evaluation.spend(stepCount);
    return columns;
  }

  #addHistograms(histograms: HistogramColumn, base: number): void {
    const columns = this.#columns;
    const { present } = this.#batch;
    let row = 0;
    for (let i = 0; i < this.#innerTimes.length; i++) {
      if (present[base + i] === 0) continue;
      const histogram = histograms[base + i];
      columns.histograms[row++] = histogram && withoutResetHint(histogram);
      if (histogram) columns.histogramCount++;
    }
  }

  finish(): number {
    return this.#inner.next(this.#batch) === PENDING ? PENDING : READY;
  }

  close(): void {
    this.#inner.close();
  }
}

/** What a counter histogram says of its predecessor does not hold for the samples that a subquery picks. */
function withoutResetHint(histogram: FloatHistogram): FloatHistogram {
  return histogram.hint === 'gauge' ? histogram : histogram.withHint('unknown');
}
