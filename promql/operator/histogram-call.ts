import type { FloatHistogram } from '../../model/float-histogram.ts';
import type { Labels } from '../../model/labels.ts';
import { Buckets, parseBound, type Repair } from '../functions/histogram.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, type Batch, type Operator, type SeriesList } from './operator.ts';
import { TableReader, type ScalarReaders } from './table.ts';

const BOUND_LABEL: ReadonlySet<string> = new Set(['le']);

export interface HistogramCallOptions {
  readonly source: Operator;
  readonly params: ScalarReaders;
  readonly stepCount: number;
  /** What is computed of each histogram, one row each. */
  readonly outputs: readonly HistogramOutput[];
  /** Called once with the values of the parameters. */
  readonly onParams: (columns: readonly Float64Array[]) => void;
  /** Called for a series with samples whose `le` is no number. */
  readonly onBadBound: (text: string, metricName: string) => void;
  /** Called where classic buckets and a native histogram of the same labels meet. */
  readonly onMix: (metricName: string) => void;
  /** Called when a histogram's counts did not ascend. */
  readonly onRepair: (repair: Repair, metricName: string, step: number) => void;
  /** Called after the last row. */
  readonly onEnd: () => void;
}

export interface HistogramOutput {
  /** The labels of the result, from those of the buckets without `le`. */
  labels(group: Labels): Labels;
  evaluate(buckets: Buckets, params: readonly Float64Array[], step: number): number;
  evaluateNative(histogram: FloatHistogram, params: readonly Float64Array[], step: number, metricName: string): number;
}

interface Histogram {
  readonly labels: Labels;
  readonly dropsName: boolean;
  /** Rows of the input, ascending by bound. */
  readonly rows: { readonly row: number; readonly bound: number }[];
  /** Row of the input with native histograms of the same labels; -1 for none. */
  nativeRow: number;
}

/**
 * histogram_quantile, histogram_quantiles and histogram_fraction. A histogram is the buckets that differ in `le` only, or
 * a native one. Which series have native ones is known from their samples only, so `open()` reads all of the input.
 */
export class HistogramCallOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: HistogramCallOptions;
  #opened = 0;
  #histograms: readonly Histogram[] = [];
  /** Rows whose `le` is no number. */
  #badRows: readonly number[] = [];
  #reader: TableReader | undefined;
  #params: readonly Float64Array[] = [];
  #buckets = new Buckets(0);
  #nextRow = 0;
  #nextStep = 0;

  constructor(evaluation: Evaluation, options: HistogramCallOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
  }

  open(): number {
    const { source, params, stepCount } = this.#options;
    if (this.#opened === 0) {
      if (source.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (params.read() === PENDING) return PENDING;
      this.#opened = 2;
      this.#params = params.columns;
      this.#options.onParams(this.#params);
      this.#reader = new TableReader(this.#evaluation, source, stepCount);
    }
    if (this.#opened === 2) {
      if (this.#reader!.read() === PENDING) return PENDING;
      this.#opened = 3;
      this.#group(source.series());
      this.#reportBadBounds();
    }
    return READY;
  }

  #group(series: SeriesList): void {
    const byKey = new Map<string, Histogram>();
    const badRows: number[] = [];
    let widest = 0;
    for (let row = 0; row < series.count; row++) {
      const own = series.labels(row);
      if (this.#hasSamples(row, true)) histogramOf(byKey, own, series.dropsName(row)).nativeRow = row;
      const bound = parseBound(own.get('le'));
      if (bound === undefined) {
        badRows.push(row);
        continue;
      }
      const histogram = histogramOf(byKey, own.without(BOUND_LABEL), series.dropsName(row));
      histogram.rows.push({ row, bound });
      widest = Math.max(widest, histogram.rows.length);
    }
    for (const { rows } of byKey.values()) rows.sort((a, b) => a.bound - b.bound);
    this.#histograms = [...byKey.values()];
    this.#badRows = badRows;
    this.#buckets = new Buckets(widest);
  }

  /** Whether a row has samples that are histograms, or that are not. */
  #hasSamples(row: number, areHistograms: boolean): boolean {
    const { present, histograms, stepCount } = this.#reader!.table;
    if (areHistograms && histograms === undefined) return false;
    for (let cell = row * stepCount; cell < (row + 1) * stepCount; cell++) {
      if (present[cell] === 1 && (histograms?.[cell] !== undefined) === areHistograms) return true;
    }
    return false;
  }

  series(): SeriesList {
    const histograms = this.#histograms;
    const { outputs } = this.#options;
    return {
      count: histograms.length * outputs.length,
      labels: (index) =>
        outputs[index % outputs.length]!.labels(histograms[Math.floor(index / outputs.length)]!.labels),
      dropsName: () => this.#evaluation.delayedNameRemoval,
    };
  }

  /** One row a call: a histogram may have many buckets. */
  next(batch: Batch): number {
    const { outputs, source } = this.#options;
    if (this.#nextRow === this.#histograms.length * outputs.length) {
      this.#options.onEnd();
      source.close();
      return 0;
    }
    batch.first = this.#nextRow;
    batch.histograms = undefined;
    const histogram = this.#histograms[Math.floor(this.#nextRow / outputs.length)]!;
    const output = outputs[this.#nextRow % outputs.length]!;
    while (this.#nextStep < batch.stepCount) {
      this.#evaluateStep(batch, histogram, output);
      this.#nextStep++;
      if (this.#evaluation.spend(histogram.rows.length * 3) && this.#nextStep < batch.stepCount) return PENDING;
    }
    this.#nextStep = 0;
    this.#nextRow++;
    return 1;
  }

  #evaluateStep(batch: Batch, histogram: Histogram, output: HistogramOutput): void {
    const { table } = this.#reader!;
    const buckets = this.#buckets;
    const step = this.#nextStep;
    buckets.clear();
    for (const { row, bound } of histogram.rows) {
      const cell = row * table.stepCount + step;
      if (table.present[cell] === 1 && !table.histograms?.[cell]) buckets.add(bound, table.values[cell]!);
    }
    const nativeCell = histogram.nativeRow * table.stepCount + step;
    const native = histogram.nativeRow >= 0 && table.present[nativeCell] === 1 && table.histograms?.[nativeCell];
    if (native) {
      batch.present[step] = buckets.size === 0 ? 1 : 0;
      const { metricName } = histogram.labels;
      if (buckets.size > 0) this.#options.onMix(metricName);
      else batch.values[step] = output.evaluateNative(native, this.#params, step, metricName);
      return;
    }
    batch.present[step] = buckets.size > 0 ? 1 : 0;
    if (buckets.size === 0) return;
    batch.values[step] = output.evaluate(buckets, this.#params, step);
    if (buckets.repaired !== undefined) {
      this.#options.onRepair(buckets.repaired, histogram.labels.metricName, step);
    }
  }

  #reportBadBounds(): void {
    const series = this.#options.source.series();
    for (const row of this.#badRows) {
      if (!this.#hasSamples(row, false)) continue;
      const labels = series.labels(row);
      this.#options.onBadBound(labels.get('le'), labels.metricName);
    }
  }

  close(): void {
    this.#options.source.close();
    this.#options.params.close();
  }
}

function histogramOf(byKey: Map<string, Histogram>, labels: Labels, dropsName: boolean): Histogram {
  const key = labels.key();
  let histogram = byKey.get(key);
  if (histogram === undefined) {
    histogram = { labels, dropsName, rows: [], nativeRow: -1 };
    byKey.set(key, histogram);
  }
  return histogram;
}
