import type { Labels } from '../../model/labels.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, type SeriesList } from './operator.ts';

/** What making a text of a label set costs, in units of work. */
export const LABEL_WORK = 100;

/** Gives series of equal keys equal numbers, counted from 0 as keys are first met; a quantum of work at a time. */
export class SeriesNumbering {
  readonly #evaluation: Evaluation;
  readonly #series: SeriesList;
  readonly #key: (labels: Labels) => string;
  readonly #numbers: Map<string, number>;
  #next = 0;
  /** Number of series i. */
  readonly numberOf: Int32Array;
  /** For each number that was new, the series that brought it. */
  readonly firsts: number[] = [];

  /** Numberings that share `numbers` give equal keys equal numbers. */
  constructor(
    evaluation: Evaluation,
    series: SeriesList,
    key: (labels: Labels) => string,
    numbers = new Map<string, number>(),
  ) {
    this.#evaluation = evaluation;
    this.#series = series;
    this.#key = key;
    this.#numbers = numbers;
    this.numberOf = new Int32Array(series.count);
  }

  /** READY when all series have their number, or PENDING. */
  run(): number {
    const { count } = this.#series;
    while (this.#next < count) {
      const index = this.#next++;
      const key = this.#key(this.#series.labels(index));
      let number = this.#numbers.get(key);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(key, number);
        this.firsts.push(index);
      }
      this.numberOf[index] = number;
      if (this.#evaluation.spend(LABEL_WORK)) return PENDING;
    }
    return READY;
  }
}
