import { setsMetricName, type LabelFunction } from '../functions/label.ts';
import { READY, PENDING, type Batch, type Operator, type SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';

/** label_replace and label_join: other labels, the same samples. */
export class RelabelOperator implements Operator {
  readonly #source: Operator;
  readonly #fn: LabelFunction;
  #list: SeriesList | undefined;

  constructor(source: Operator, fn: LabelFunction) {
    this.#source = source;
    this.#fn = fn;
  }

  open(): number {
    return this.#source.open() === PENDING ? PENDING : READY;
  }

  series(): SeriesList {
    this.#list ??= this.#relabelled(this.#source.series());
    return this.#list;
  }

  next(batch: Batch): number {
    return this.#source.next(batch);
  }

  close(): void {
    this.#source.close();
  }

  #relabelled(source: SeriesList): SeriesList {
    const labels = [];
    const drops = new Uint8Array(source.count);
    const namesSeries = setsMetricName(this.#fn);
    for (let i = 0; i < source.count; i++) {
      const before = source.labels(i);
      const after = this.#fn.apply(before);
      labels.push(after);
      drops[i] = source.dropsName(i) && !(namesSeries && after !== before) ? 1 : 0;
    }
    return listOf(labels, drops);
  }
}
