import type { Labels } from '../../model/labels.ts';
import { Buckets, parseBound, type Repair } from '../functions/histogram.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, countPresent, type Batch, type Operator, type SeriesList } from './operator.ts';
import { TableReader, type ScalarReaders } from './table.ts';

const BOUND_LABEL: ReadonlySet<string> = new Set(['le']);

export interface ClassicHistogramOptions {
  readonly source: Operator;
  readonly params: ScalarReaders;
  readonly stepCount: number;
  /** What is computed of each histogram, one row each. */
  readonly outputs: readonly HistogramOutput[];
  /** Called once with the values of the parameters. */
  readonly onParams: (columns: readonly Float64Array[]) => void;
  /** Called for a series with samples whose `le` is no number. */
  readonly onBadBound: (text: string, metricName: string) => void;
  /** Called when a histogram's counts did not ascend. */
  readonly onRepair: (repair: Repair, metricName: string, step: number) => void;
  /** Called after the last row. */
  readonly onEnd: () => void;
}

export interface HistogramOutput {
  /** The labels of the result, from those of the buckets without `le`. */
  labels(group: Labels): Labels;
  evaluate(buckets: Buckets, params: readonly Float64Array[], step: number): number;
}

interface Histogram {
  readonly labels: Labels;
  readonly dropsName: boolean;
  /** Rows of the input, ascending by bound. */
  readonly rows: { readonly row: number; readonly bound: number }[];
}

/** histogram_quantile, histogram_quantiles and histogram_fraction of classic histograms. */
export class ClassicHistogramOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: ClassicHistogramOptions;
  #opened = 0;
  #histograms: readonly Histogram[] = [];
  #badRows: readonly number[] = [];
  #reader: TableReader | undefined;
  #isRead = false;
  #params: readonly Float64Array[] = [];
  #buckets = new Buckets(0);
  #nextRow = 0;
  #nextStep = 0;

  constructor(evaluation: Evaluation, options: ClassicHistogramOptions) {
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
      this.#group(source.series());
      this.#reader = new TableReader(this.#evaluation, source, stepCount);
    }
    return READY;
  }

  #group(series: SeriesList): void {
    const byKey = new Map<string, Histogram>();
    const badRows: number[] = [];
    let widest = 0;
    for (let row = 0; row < series.count; row++) {
      const own = series.labels(row);
      const bound = parseBound(own.get('le'));
      if (bound === undefined) {
        badRows.push(row);
        continue;
      }
      const labels = own.without(BOUND_LABEL);
      const key = labels.key();
      let histogram = byKey.get(key);
      if (histogram === undefined) {
        histogram = { labels, dropsName: series.dropsName(row), rows: [] };
        byKey.set(key, histogram);
      }
      histogram.rows.push({ row, bound });
      widest = Math.max(widest, histogram.rows.length);
    }
    for (const { rows } of byKey.values()) rows.sort((a, b) => a.bound - b.bound);
    this.#histograms = [...byKey.values()];
    this.#badRows = badRows;
    this.#buckets = new Buckets(widest);
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
    if (!this.#isRead) {
      if (this.#reader!.read() === PENDING) return PENDING;
      this.#isRead = true;
      this.#reportBadBounds();
    }
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
      if (table.present[cell] === 1) buckets.add(bound, table.values[cell]!);
    }
    batch.present[step] = buckets.size > 0 ? 1 : 0;
    if (buckets.size === 0) return;
    batch.values[step] = output.evaluate(buckets, this.#params, step);
    if (buckets.repaired !== undefined) {
      this.#options.onRepair(buckets.repaired, histogram.labels.metricName, step);
    }
  }

  #reportBadBounds(): void {
    const { table } = this.#reader!;
    const series = this.#options.source.series();
    for (const row of this.#badRows) {
      const base = row * table.stepCount;
      if (countPresent(table.present, base, base + table.stepCount) === 0) continue;
      const labels = series.labels(row);
      this.#options.onBadBound(labels.get('le'), labels.metricName);
    }
  }

  close(): void {
    this.#options.source.close();
    this.#options.params.close();
  }
}
