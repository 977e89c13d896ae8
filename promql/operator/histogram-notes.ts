import type { Span } from '../../model/annotations.ts';
import { quoteGo } from '../../model/labels.ts';
import type { Evaluation } from './evaluation.ts';

export type HistogramOperation = 'addition' | 'subtraction' | 'aggregation';
export type SampleType = 'float' | 'histogram';

/** What a query's author is told of histograms, in Prometheus' words, about the expression at `span`. */
export class HistogramNotes {
  readonly #evaluation: Evaluation;
  readonly #span: Span;

  constructor(evaluation: Evaluation, span: Span) {
    this.#evaluation = evaluation;
    this.#span = span;
  }

  #warn(text: string): void {
    this.#evaluation.warn(text, this.#span);
  }

  #info(text: string): void {
    this.#evaluation.info(text, this.#span);
  }

  mixedWithFloats(metricName: string): void {
    this.#warn(`encountered a mix of histograms and floats for metric name ${quoteGo(metricName)}`);
  }

  mixedWithFloatsInAggregation(): void {
    this.#warn('encountered a mix of histograms and floats for aggregation');
  }

  mixedSchemas(metricName: string): void {
    const mix = 'vector contains a mix of histograms with exponential and custom buckets schemas';
    this.#warn(`${mix} for metric name ${quoteGo(metricName)}`);
  }

  notCounter(metricName: string): void {
    this.#warn(`this native histogram metric is not a counter: ${quoteGo(metricName)}`);
  }

  notGauge(metricName: string): void {
    this.#warn(`this native histogram metric is not a gauge: ${quoteGo(metricName)}`);
  }

  resetsCollide(operation: HistogramOperation): void {
    this.#warn(`conflicting counter resets during histogram ${operation}`);
  }

  boundsReconciled(operation: HistogramOperation): void {
    this.#info(`mismatched custom buckets were reconciled during ${operation}`);
  }

  incompatibleTypes(left: SampleType, op: string, right: SampleType): void {
    const what = 'incompatible sample types encountered for binary operator';
    this.#info(`${what} ${quoteGo(op)}: ${left} ${op} ${right}`);
  }

  incompatibleLayouts(op: string): void {
    this.#warn(`incompatible bucket layout encountered for binary operator ${op}`);
  }

  ignoredInAggregation(op: string): void {
    this.#info(`ignored histogram in ${op} aggregation`);
  }

  ignoredInRange(metricName: string): void {
    const range = 'ignored histograms in a range containing both floats and histograms';
    this.#info(`${range} for metric name ${quoteGo(metricName)}`);
  }
}
