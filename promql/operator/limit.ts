import { CodedError } from '../../util/errors.ts';
import type { Labels } from '../../model/labels.ts';
import { toCounts } from './counts.ts';
import type { Evaluation } from './evaluation.ts';
import { SeriesGrouper, type Grouping } from './group-keys.ts';
import { PENDING, READY, type Batch, type Operator, type SeriesList } from './operator.ts';
import type { ScalarReader } from './table.ts';

/** Decides step by step which samples of a series stay. */
export interface SampleFilter {
  /** Takes the values of the parameter and the series that will come; READY or PENDING. */
  start(values: Float64Array, series: SeriesList): number;
  /** Clears `present` of the samples of a series that go. */
  apply(present: Uint8Array, base: number, series: number): void;
}

/** limitk and limit_ratio: the input's series with samples taken away. */
export class LimitOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #source: Operator;
  readonly #param: ScalarReader;
  readonly #filter: SampleFilter;
  #opened = 0;

  constructor(evaluation: Evaluation, source: Operator, param: ScalarReader, filter: SampleFilter) {
    this.#evaluation = evaluation;
    this.#source = source;
    this.#param = param;
    this.#filter = filter;
  }

  open(): number {
    if (this.#opened === 0) {
      if (this.#source.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (this.#param.read() === PENDING) return PENDING;
      this.#opened = 2;
    }
    if (this.#opened === 2) {
      if (this.#filter.start(this.#param.values, this.#source.series()) === PENDING) return PENDING;
      this.#opened = 3;
    }
    return READY;
  }

  series(): SeriesList {
    return this.#source.series();
  }

  next(batch: Batch): number {
    const rows = this.#source.next(batch);
    if (rows === PENDING) return PENDING;
    if (rows === 0) {
      this.#source.close();
      return 0;
    }
    for (let r = 0; r < rows; r++) this.#filter.apply(batch.present, r * batch.stepCount, batch.first + r);
    this.#evaluation.spend(rows * batch.stepCount);
    return rows;
  }

  close(): void {
    this.#source.close();
    this.#param.close();
  }
}

/** limitk: the first k samples of each group, in the order of series. */
export class CountFilter implements SampleFilter {
  readonly #evaluation: Evaluation;
  readonly #grouping: Grouping;
  #grouper: SeriesGrouper | undefined;
  #limits: Int32Array = new Int32Array(0);
  #groupOf: Int32Array = new Int32Array(0);
  #taken: Int32Array = new Int32Array(0);

  constructor(evaluation: Evaluation, grouping: Grouping) {
    this.#evaluation = evaluation;
    this.#grouping = grouping;
  }

  start(values: Float64Array, series: SeriesList): number {
    this.#grouper ??= new SeriesGrouper(this.#evaluation, series, this.#grouping);
    if (this.#grouper.run() === PENDING) return PENDING;
    const { groups } = this.#grouper;
    this.#limits = toCounts(values, series.count);
    this.#groupOf = groups.groupOf;
    this.#taken = new Int32Array(groups.count * values.length);
    return READY;
  }

  apply(present: Uint8Array, base: number, series: number): void {
    const limits = this.#limits;
    const cell = this.#groupOf[series]! * limits.length;
    for (let i = 0; i < limits.length; i++) {
      if (present[base + i] === 0) continue;
      if (this.#taken[cell + i]! < limits[i]!) this.#taken[cell + i]!++;
      else present[base + i] = 0;
    }
  }
}

/** limit_ratio: the series whose hash is in the first, or with a negative ratio the last, part of all hashes. */
export class RatioFilter implements SampleFilter {
  readonly #hash: (labels: Labels) => number;
  readonly #onCapped: (ratio: number, used: number) => void;
  #ratios: Float64Array = new Float64Array(0);
  #series: SeriesList | undefined;

  /** `hash` is uniform in [0, 1). `onCapped` is told of ratios outside of [-1, 1]. */
  constructor(hash: (labels: Labels) => number, onCapped: (ratio: number, used: number) => void) {
    this.#hash = hash;
    this.#onCapped = onCapped;
  }

  start(values: Float64Array, series: SeriesList): number {
    this.#series = series;
    this.#ratios = values.map((ratio) => {
      if (ratio !== ratio) throw new CodedError('execution', 'Ratio value is NaN');
      const used = Math.max(-1, Math.min(1, ratio));
      if (used !== ratio) this.#onCapped(ratio, used);
      return used;
    });
    return READY;
  }

  apply(present: Uint8Array, base: number, series: number): void {
    const hash = this.#hash(this.#series!.labels(series));
    const ratios = this.#ratios;
    for (let i = 0; i < ratios.length; i++) {
      const ratio = ratios[i]!;
      const stays = ratio >= 0 ? hash < ratio : hash >= 1 + ratio;
      if (!stays) present[base + i] = 0;
    }
  }
}
