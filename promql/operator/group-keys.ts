import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import { must } from '../../util/assert.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, type SeriesList } from './operator.ts';
import { listOf, SINGLE_SERIES } from './series-list.ts';
import { SeriesNumbering } from './series-numbering.ts';

/** Which group each series is in, and what the groups' labels are, in the order in which groups are first met. */
export interface Groups {
  readonly count: number;
  /** Group of series i. */
  readonly groupOf: Int32Array;
  readonly list: SeriesList;
}

export interface Grouping {
  readonly labels: readonly string[];
  readonly without: boolean;
}

/** Finds the groups of all series, a quantum of work at a time. */
export class SeriesGrouper {
  readonly #series: SeriesList;
  readonly #grouping: Grouping;
  /** undefined: all series are one group. */
  readonly #numbering: SeriesNumbering | undefined;
  #groups: Groups | undefined;

  constructor(evaluation: Evaluation, series: SeriesList, grouping: Grouping) {
    const isOneGroup = !grouping.without && grouping.labels.length === 0;
    this.#series = series;
    this.#grouping = grouping;
    this.#numbering = isOneGroup ? undefined : new SeriesNumbering(evaluation, series, groupingKey(grouping));
  }

  /** READY when `groups` is there, or PENDING. */
  run(): number {
    if (this.#groups !== undefined) return READY;
    if (this.#numbering !== undefined && this.#numbering.run() === PENDING) return PENDING;
    this.#groups = this.#numbering === undefined ? this.#oneGroup() : this.#grouped(this.#numbering);
    return READY;
  }

  get groups(): Groups {
    return must(this.#groups, 'groups');
  }

  #oneGroup(): Groups {
    const { count } = this.#series;
    if (count === 0) return { count: 0, groupOf: new Int32Array(0), list: listOf([]) };
    return { count: 1, groupOf: new Int32Array(count), list: SINGLE_SERIES };
  }

  #grouped({ numberOf, firsts }: SeriesNumbering): Groups {
    const labelsOf = groupingLabels(this.#grouping);
    const labels = firsts.map((index) => labelsOf(this.#series.labels(index)));
    const drops = new Uint8Array(labels.length);
    for (let i = 0; i < numberOf.length; i++) if (this.#series.dropsName(i)) drops[numberOf[i]!] = 1;
    return { count: labels.length, groupOf: numberOf, list: listOf(labels, drops) };
  }
}

/** A text that is equal exactly for series of one group. */
export function groupingKey(grouping: Grouping): (labels: Labels) => string {
  const names = [...new Set(grouping.labels)].sort(compareUtf8);
  if (grouping.without) {
    const dropped = new Set([...names, METRIC_NAME]);
    return (labels) => labels.without(dropped).key();
  }
  const only = names[0];
  if (names.length === 1 && only !== undefined) return (labels) => labels.get(only);
  return (labels) => names.map((name) => labels.get(name)).join('\uffff');
}

export function groupingLabels(grouping: Grouping): (labels: Labels) => Labels {
  const names = new Set(grouping.labels);
  if (!grouping.without) return (labels) => labels.only(names);
  names.add(METRIC_NAME);
  return (labels) => labels.without(names);
}
