import { setsMetricName, type LabelFunction } from '../functions/label.ts';
import type { Labels } from '../../model/labels.ts';
import type { Evaluation } from './evaluation.ts';
import { READY, PENDING, type Batch, type Operator, type SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';
import { LABEL_WORK } from './series-numbering.ts';

/** label_replace and label_join: other labels, the same samples. */
export class RelabelOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #source: Operator;
  readonly #fn: LabelFunction;
  readonly #labels: Labels[] = [];
  #drops: Uint8Array = new Uint8Array(0);
  #isSourceOpen = false;

  constructor(evaluation: Evaluation, source: Operator, fn: LabelFunction) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#fn = fn;
  }

  open(): number {
    if (!this.#isSourceOpen) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#isSourceOpen = true;
      this.#drops = new Uint8Array(this.#source.series().count);
    }
    const source = this.#source.series();
    const namesSeries = setsMetricName(this.#fn);
    while (this.#labels.length < source.count) {
      const index = this.#labels.length;
      const before = source.labels(index);
      const after = this.#fn.apply(before);
      this.#labels.push(after);
      if (source.dropsName(index) && !(namesSeries && after !== before)) this.#drops[index] = 1;
      if (this.#evaluation.spend(2 * LABEL_WORK)) return PENDING;
    }
    return READY;
  }

  series(): SeriesList {
    return listOf(this.#labels, this.#drops);
  }

  next(batch: Batch): number {
    return this.#source.next(batch);
  }

  close(): void {
    this.#source.close();
  }
}
