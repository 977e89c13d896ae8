import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, type SeriesList } from './operator.ts';
import { SeriesNumbering } from './series-numbering.ts';

/** How vectors are matched: by the labels named in `on`, or by all but the ignored ones and the metric name. */
export interface MatchLabels {
  readonly on: boolean;
  readonly labels: readonly string[];
}

/** Series of both sides by match group: groups are numbered from 0 over both. */
export interface MatchGroups {
  readonly count: number;
  readonly groupOfLeft: Int32Array;
  readonly groupOfRight: Int32Array;
}

/** Finds the match groups of both sides, a quantum of work at a time. */
export class SeriesMatcher {
  readonly #numbers = new Map<string, number>();
  readonly #left: SeriesNumbering;
  readonly #right: SeriesNumbering;

  constructor(evaluation: Evaluation, left: SeriesList, right: SeriesList, match: MatchLabels) {
    const signature = matchSignature(match);
    this.#right = new SeriesNumbering(evaluation, right, signature, this.#numbers);
    this.#left = new SeriesNumbering(evaluation, left, signature, this.#numbers);
  }

  /** READY when `groups` is complete, or PENDING. */
  run(): number {
    return this.#right.run() === PENDING || this.#left.run() === PENDING ? PENDING : READY;
  }

  get groups(): MatchGroups {
    return { count: this.#numbers.size, groupOfLeft: this.#left.numberOf, groupOfRight: this.#right.numberOf };
  }
}

function matchSignature(match: MatchLabels): (labels: Labels) => string {
  const names = [...new Set(match.labels)].sort(compareUtf8);
  if (!match.on) {
    const ignored = new Set([...names, METRIC_NAME]);
    return (labels) => labels.without(ignored).key();
  }
  const only = names[0];
  if (names.length === 1 && only !== undefined) return (labels) => labels.get(only);
  return (labels) => names.map((name) => labels.get(name)).join('\uffff');
}

/** The labels two series of a group have in common by the matching. */
export function matchLabelsOf(labels: Labels, match: MatchLabels): Labels {
  if (match.on) return labels.only(new Set(match.labels));
  return labels.without(new Set([...match.labels, METRIC_NAME]));
}
