import { Labels, METRIC_NAME } from '../../model/labels.ts';
import type { SeriesList } from './operator.ts';

/** What "dropping the name" removes: the name and the labels that describe it. */
const NAME_LABELS: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__']);

export function dropName(labels: Labels): Labels {
  return labels.without(NAME_LABELS);
}

/** The one series of a scalar or of an aggregation without grouping. */
export const SINGLE_SERIES: SeriesList = {
  count: 1,
  labels: () => Labels.EMPTY,
  dropsName: () => false,
};

export function listOf(labels: readonly Labels[], drops?: ArrayLike<number>): SeriesList {
  return {
    count: labels.length,
    labels: (index) => labels[index]!,
    dropsName: (index) => drops !== undefined && drops[index] === 1,
  };
}

/** Series of `source` with their names dropped: now, or with delayed removal marked to be dropped at the end. */
export function withoutNames(source: SeriesList, delayed: boolean): SeriesList {
  if (delayed) return { count: source.count, labels: (index) => source.labels(index), dropsName: () => true };
  return { count: source.count, labels: (index) => dropName(source.labels(index)), dropsName: () => false };
}
