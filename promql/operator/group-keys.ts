import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import type { SeriesList } from './operator.ts';
import { listOf, SINGLE_SERIES } from './series-list.ts';

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

export function groupSeries(series: SeriesList, grouping: Grouping): Groups {
  const { count } = series;
  const groupOf = new Int32Array(count);
  if (!grouping.without && grouping.labels.length === 0) {
    return { count: count === 0 ? 0 : 1, groupOf, list: count === 0 ? listOf([]) : SINGLE_SERIES };
  }
  const key = groupingKey(grouping);
  const labelsOf = groupingLabels(grouping);
  const indexes = new Map<string, number>();
  const labels: Labels[] = [];
  const drops: number[] = [];
  for (let i = 0; i < count; i++) {
    const own = series.labels(i);
    const text = key(own);
    let group = indexes.get(text);
    if (group === undefined) {
      group = labels.length;
      indexes.set(text, group);
      labels.push(labelsOf(own));
      drops.push(0);
    }
    if (series.dropsName(i)) drops[group] = 1;
    groupOf[i] = group;
  }
  return { count: labels.length, groupOf, list: listOf(labels, drops) };
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
