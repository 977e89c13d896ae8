import type { FloatHistogram } from '../../model/float-histogram.ts';
import { HistogramMean, HistogramSum, type AddOutcome } from '../../model/histogram-sum.ts';
import type { AggregateOp } from '../parse/ast.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import type { Evaluation } from './evaluation.ts';
import { dropHistograms, histogramsOf, type Batch } from './operator.ts';

/** Folds histograms, one after the other, into their sum or mean. */
export interface HistogramFold {
  add(histogram: FloatHistogram): AddOutcome;
  result(): FloatHistogram;
}

export function sumOf(first: FloatHistogram): HistogramFold {
  const sum = new HistogramSum(first);
  return { add: (histogram) => sum.add(histogram), result: () => sum.total() };
}

export function meanOf(first: FloatHistogram): HistogramFold {
  return new HistogramMean(first);
}

/** Of a float sample, in which the weight of histograms is told. */
const SAMPLE_BYTES = 16;

interface Cell {
  readonly fold: HistogramFold;
  isIncompatible: boolean;
  sawReset: boolean;
  sawNotReset: boolean;
}

export interface HistogramCellsOptions {
  readonly op: AggregateOp;
  readonly notes: HistogramNotes;
}

/**
 * What an aggregation does with samples that are histograms: sum and avg fold them, cell by cell (see Accumulator), count
 * and group do not look at values, the others leave them out.
 */
export class HistogramCells {
  readonly #evaluation: Evaluation;
  readonly #op: AggregateOp;
  readonly #notes: HistogramNotes;
  readonly #create: ((first: FloatHistogram) => HistogramFold) | undefined;
  readonly #cells = new Map<number, Cell>();

  constructor(evaluation: Evaluation, { op, notes }: HistogramCellsOptions) {
    this.#evaluation = evaluation;
    this.#op = op;
    this.#notes = notes;
    this.#create = op === 'sum' ? sumOf : op === 'avg' ? meanOf : undefined;
  }

  /**
   * Takes the histograms out of a batch, so that what is left are floats. `cellOf` says where step 0 of a row belongs,
   * `nameOf` the metric name of a row.
   */
  take(batch: Batch, rows: number, cellOf: (row: number) => number, nameOf: (row: number) => string): void {
    if (this.#op === 'count' || this.#op === 'group') return;
    if (this.#create === undefined) {
      if (dropHistograms(batch, rows) > 0) this.#notes.ignoredInAggregation(this.#op);
      return;
    }
    const { histograms, present, stepCount } = batch;
    for (let r = 0; r < rows; r++) {
      const cell = cellOf(r);
      for (let i = 0; i < stepCount; i++) {
        const histogram = present[r * stepCount + i] === 0 ? undefined : histograms?.[r * stepCount + i];
        if (histogram) this.#add(cell + i, histogram, () => nameOf(r));
      }
    }
    dropHistograms(batch, rows);
  }

  #add(at: number, histogram: FloatHistogram, metricName: () => string): void {
    let cell = this.#cells.get(at);
    if (cell === undefined) {
      // Sums and what rounding lost of each.
      this.#evaluation.reserveBytes(2 * histogram.sampleWeight * SAMPLE_BYTES);
      cell = { fold: this.#create!(histogram), isIncompatible: false, sawReset: false, sawNotReset: false };
      this.#cells.set(at, cell);
    } else if (!cell.isIncompatible) {
      const outcome = cell.fold.add(histogram);
      if (outcome === 'reconciled') this.#notes.boundsReconciled('aggregation');
      if (outcome === 'incompatible') {
        cell.isIncompatible = true;
        this.#notes.mixedSchemas(metricName());
      }
    }
    cell.sawReset ||= histogram.hint === 'reset';
    cell.sawNotReset ||= histogram.hint === 'not_reset';
  }

  /** Writes the results of the cells from `from` on to a row of `out`, in which those of the floats are already. */
  finish(out: Batch, base: number, from: number): void {
    if (this.#cells.size === 0) return;
    for (let i = 0; i < out.stepCount; i++) {
      const cell = this.#cells.get(from + i);
      if (cell === undefined) continue;
      const hasFloats = out.present[base + i] === 1;
      out.present[base + i] = 0;
      if (cell.isIncompatible) continue;
      if (hasFloats) {
        this.#notes.mixedWithFloatsInAggregation();
        continue;
      }
      if (cell.sawReset && cell.sawNotReset) this.#notes.resetsCollide('aggregation');
      out.present[base + i] = 1;
      histogramsOf(out)[base + i] = cell.fold.result().compact();
    }
  }
}
