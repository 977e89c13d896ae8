import { FloatHistogram } from '../../model/float-histogram.ts';
import { CUSTOM_SCHEMA } from '../../model/histogram-bounds.ts';
import { bucketRun, NO_BUCKETS } from '../../model/histogram-buckets.ts';
import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import { CodedError } from '../../util/errors.ts';
import { formatFloatG } from '../../util/decimal.ts';
import { parseBound } from '../functions/histogram.ts';
import type { SeriesNotation } from '../parse/series-notation.ts';

/** A native histogram series made of classic ones: for each place in the notation a histogram, or none. */
export interface CustomBucketSeries {
  readonly labels: Labels;
  readonly histograms: readonly (FloatHistogram | undefined)[];
}

/** The parts of a classic histogram at one time. */
interface Parts {
  readonly buckets: Map<number, number>;
  count: number | undefined;
  sum: number;
}

const SUFFIX = /^(.*)_(bucket|count|sum)$/s;

/**
 * The native histograms with custom buckets that `load_with_nhcb` stores beside classic ones. Throws bad_data on counts
 * that do not belong together.
 */
export function toCustomBuckets(series: Iterable<SeriesNotation>): CustomBucketSeries[] {
  const byKey = new Map<string, { labels: Labels; parts: (Parts | undefined)[] }>();
  for (const { labels, values } of series) {
    const match = SUFFIX.exec(labels.metricName);
    if (!match) continue;
    const suffix = match[2]!;
    const bound = suffix === 'bucket' ? parseBound(labels.get('le')) : undefined;
    if (suffix === 'bucket' && (bound === undefined || bound !== bound)) continue;
    const own = labels.with(METRIC_NAME, match[1]!).with('le', '');
    const target = byKey.get(own.key()) ?? { labels: own, parts: [] };
    byKey.set(own.key(), target);
    values.forEach((value, i) => {
      if (value === 'absent' || typeof value === 'object') return;
      const parts = (target.parts[i] ??= { buckets: new Map(), count: undefined, sum: 0 });
      const number = value === 'stale' ? NaN : value;
      if (bound !== undefined) parts.buckets.set(bound, number);
      else if (suffix === 'count') parts.count = number;
      else parts.sum = number;
    });
  }
  return Array.from(byKey.values(), ({ labels, parts }) => ({
    labels,
    histograms: Array.from(parts, (each) => each && convert(each, labels)),
  }));
}

function convert({ buckets, count, sum }: Parts, labels: Labels): FloatHistogram {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = count ?? sorted.at(-1)?.[1] ?? 0;
  if (sorted.at(-1)?.[0] !== Infinity) sorted.push([Infinity, total]);
  let previous = 0;
  const counts = Float64Array.from(sorted, ([, cumulative]) => {
    if (cumulative < previous) throw mismatch(labels, `${formatFloatG(cumulative)} < ${formatFloatG(previous)}`);
    const own = cumulative - previous;
    previous = cumulative;
    return own;
  });
  if (total !== previous) throw mismatch(labels, `count ${formatFloatG(total)}, +Inf bucket ${formatFloatG(previous)}`);
  return new FloatHistogram({
    hint: 'unknown',
    schema: CUSTOM_SCHEMA,
    zeroThreshold: 0,
    zeroCount: 0,
    count: total,
    sum,
    positive: bucketRun(0, counts),
    negative: NO_BUCKETS,
    customBounds: Float64Array.from(sorted.slice(0, -1), ([bound]) => bound),
  }).compact();
}

function mismatch(labels: Labels, detail: string): CodedError {
  return new CodedError('bad_data', `counts of the classic histogram ${labels.toString()} do not match: ${detail}`);
}
