import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import type { SeriesList } from './operator.ts';

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

export function matchSeries(left: SeriesList, right: SeriesList, match: MatchLabels): MatchGroups {
  const signature = matchSignature(match);
  const groups = new Map<string, number>();
  const numbered = (series: SeriesList): Int32Array => {
    const groupOf = new Int32Array(series.count);
    for (let i = 0; i < series.count; i++) {
      const key = signature(series.labels(i));
      let group = groups.get(key);
      if (group === undefined) {
        group = groups.size;
        groups.set(key, group);
      }
      groupOf[i] = group;
    }
    return groupOf;
  };
  const groupOfRight = numbered(right);
  const groupOfLeft = numbered(left);
  return { count: groups.size, groupOfLeft, groupOfRight };
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
