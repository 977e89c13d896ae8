import { formatFloatG } from '../util/decimal.ts';
import type { FloatHistogram } from './float-histogram.ts';
import type { Buckets } from './histogram-buckets.ts';
import { boundariesOf, unclippedBuckets } from './histogram-walk.ts';

/** `{count:3, sum:5, [-2,-1):1, (1,2]:2}`: the populated buckets, ascending, with the bounds that belong to them. */
export function formatHistogram(h: FloatHistogram): string {
  const { lowers, uppers, counts } = unclippedBuckets(h);
  let text = `{count:${formatFloatG(h.count)}, sum:${formatFloatG(h.sum)}`;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]! === 0) continue;
    const boundaries = boundariesOf(h.schema, lowers[i]!, uppers[i]!);
    const open = boundaries === 1 || boundaries === 3 ? '[' : '(';
    const close = boundaries === 0 || boundaries === 3 ? ']' : ')';
    text += `, ${open}${formatFloatG(lowers[i]!)},${formatFloatG(uppers[i]!)}${close}:${formatFloatG(counts[i]!)}`;
  }
  return `${text}}`;
}

/** As the notation of test scripts writes it: `{{schema:1 count:3 sum:5 offset:2 buckets:[1 0 2]}}`. */
export function formatHistogramNotation(histogram: FloatHistogram): string {
  const h = histogram.compact();
  const items: string[] = [];
  const add = (name: string, value: number): void => {
    if (value !== 0) items.push(`${name}:${formatFloatG(value)}`);
  };
  add('schema', h.schema);
  add('count', h.count);
  add('sum', h.sum);
  add('z_bucket', h.zeroCount);
  add('z_bucket_w', h.zeroThreshold);
  if (h.hasCustomBuckets) items.push(`custom_values:${formatList(h.customBounds)}`);
  if (h.hint !== 'unknown') items.push(`counter_reset_hint:${h.hint}`);
  pushSide(items, h.positive, '');
  pushSide(items, h.negative, 'n_');
  return `{{${items.join(' ')}}}`;
}

function pushSide(items: string[], { indexes, counts }: Buckets, prefix: string): void {
  const first = indexes[0];
  if (first === undefined) return;
  if (first !== 0) items.push(`${prefix}offset:${first}`);
  const run = new Float64Array(indexes.at(-1)! - first + 1);
  for (let i = 0; i < indexes.length; i++) run[indexes[i]! - first] = counts[i]!;
  items.push(`${prefix}buckets:${formatList(run)}`);
}

function formatList(values: Float64Array): string {
  return `[${Array.from(values, formatFloatG).join(' ')}]`;
}
