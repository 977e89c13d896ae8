// hot path: once per histogram sample touched.
import { mergedIndex } from './histogram-bounds.ts';

/**
 * One side of a histogram: the buckets there are, by ascending index, with absolute counts of equal length. Immutable.
 * Histograms of one layout share `indexes`, which makes adding them one loop over the counts. Bounds of an index:
 * `bucketBound`. Prometheus' spans are the runs of consecutive indexes.
 */
export class Buckets {
  readonly indexes: Int32Array;
  readonly counts: Float64Array;

  constructor(indexes: Int32Array, counts: Float64Array) {
    this.indexes = indexes;
    this.counts = counts;
  }
}

export const NO_BUCKETS = new Buckets(new Int32Array(0), new Float64Array(0));

/** Consecutive buckets from index `first` on. `counts` is given. */
export function bucketRun(first: number, counts: Float64Array): Buckets {
  return counts.length === 0
    ? NO_BUCKETS
    : new Buckets(
        Int32Array.from(counts, (_, i) => first + i),
        counts,
      );
}

export function scaleBuckets({ indexes, counts }: Buckets, factor: number): Buckets {
  const scaled = new Float64Array(counts.length);
  for (let i = 0; i < counts.length; i++) scaled[i] = counts[i]! * factor;
  return new Buckets(indexes, scaled);
}

export function divideBuckets({ indexes, counts }: Buckets, divisor: number): Buckets {
  const divided = new Float64Array(counts.length);
  for (let i = 0; i < counts.length; i++) divided[i] = counts[i]! / divisor;
  return new Buckets(indexes, divided);
}

/** Without the empty buckets. */
export function compactBuckets(buckets: Buckets): Buckets {
  const { indexes, counts } = buckets;
  let populated = 0;
  for (let i = 0; i < counts.length; i++) if (counts[i]! !== 0) populated++;
  if (populated === counts.length) return buckets;
  if (populated === 0) return NO_BUCKETS;
  const keptIndexes = new Int32Array(populated);
  const keptCounts = new Float64Array(populated);
  let next = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]! === 0) continue;
    keptIndexes[next] = indexes[i]!;
    keptCounts[next++] = counts[i]!;
  }
  return new Buckets(keptIndexes, keptCounts);
}

/** Without the first `count` buckets. */
export function dropFirst(buckets: Buckets, count: number): Buckets {
  if (count === 0) return buckets;
  return new Buckets(buckets.indexes.slice(count), buckets.counts.slice(count));
}

/** Merged into the buckets of a schema lower by `shift`. */
export function reduceBuckets(buckets: Buckets, shift: number): Buckets {
  return shift === 0 ? buckets : gather(mergedIndexes(buckets.indexes, shift), buckets.counts);
}

export function mergedIndexes(indexes: Int32Array, shift: number): Int32Array {
  const merged = new Int32Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) merged[i] = mergedIndex(indexes[i]!, shift);
  return merged;
}

/** Merged into the custom buckets of bounds that are a subset of the present ones. */
export function rollUpBuckets(buckets: Buckets, from: Float64Array, to: Float64Array): Buckets {
  return gather(rolledUpIndexes(buckets.indexes, from, to), buckets.counts);
}

/** For each bucket the first of the bounds `to` that is not below its own; past them all, the bucket up to +Inf. */
export function rolledUpIndexes(indexes: Int32Array, from: Float64Array, to: Float64Array): Int32Array {
  const targets = new Int32Array(indexes.length);
  let target = 0;
  for (let i = 0; i < indexes.length; i++) {
    const bound = indexes[i]! < from.length ? from[indexes[i]!]! : Infinity;
    while (target < to.length && to[target]! < bound) target++;
    targets[i] = indexes[i]! < from.length ? target : to.length;
  }
  return targets;
}

/** Buckets from counts whose indexes are ascending but may repeat. */
function gather(indexes: Int32Array, counts: Float64Array): Buckets {
  const distinct = unionIndexes(NO_BUCKETS.indexes, indexes, 0);
  const sums = new Float64Array(distinct.length);
  scatter(new Buckets(distinct, sums), indexes, counts, 0, 1);
  return new Buckets(distinct, sums);
}

/**
 * `a` plus `sign` times the counts of `b` from place `from` on. The indexes of `b` are ascending and may repeat (see
 * `mergedIndexes`).
 */
export function addBuckets(a: Buckets, b: Buckets, from: number, sign: 1 | -1): Buckets {
  if (from >= b.indexes.length) return a;
  const indexes = unionIndexes(a.indexes, b.indexes, from);
  const sums = new Float64Array(indexes.length);
  if (indexes === a.indexes) sums.set(a.counts);
  else scatter(new Buckets(indexes, sums), a.indexes, a.counts, 0, 1);
  const sum = new Buckets(indexes, sums);
  scatter(sum, b.indexes, b.counts, from, sign);
  return sum;
}

function scatter(into: Buckets, indexes: Int32Array, counts: Float64Array, from: number, sign: 1 | -1): void {
  const targets = into.indexes;
  const sums = into.counts;
  let at = 0;
  for (let i = from; i < indexes.length; i++) {
    while (targets[at]! < indexes[i]!) at++;
    sums[at] = sums[at]! + sign * counts[i]!;
  }
}

/** Indexes that are in `a` or in `b` from place `from` on, each once; `a` itself when it has them all. */
export function unionIndexes(a: Int32Array, b: Int32Array, from: number): Int32Array {
  if (a === b) return a;
  let added = 0;
  let at = 0;
  for (let i = from; i < b.length; i++) {
    const index = b[i]!;
    if (i > from && index === b[i - 1]!) continue;
    while (at < a.length && a[at]! < index) at++;
    if (at === a.length || a[at]! !== index) added++;
  }
  return added === 0 ? a : mergeIndexes(a, b, from, a.length + added);
}

function mergeIndexes(a: Int32Array, b: Int32Array, from: number, size: number): Int32Array {
  const union = new Int32Array(size);
  let i = 0;
  let j = from;
  for (let k = 0; k < size; k++) {
    const takesA = j >= b.length || (i < a.length && a[i]! <= b[j]!);
    const index = takesA ? a[i++]! : b[j]!;
    while (j < b.length && b[j]! === index) j++;
    union[k] = index;
  }
  return union;
}

/** Same buckets, empty ones included, and the same bits in their counts. */
export function equalBuckets(a: Buckets, b: Buckets): boolean {
  if (a.counts.length !== b.counts.length) return false;
  for (let i = 0; i < a.counts.length; i++) {
    if (a.indexes[i]! !== b.indexes[i]! || !Object.is(a.counts[i]!, b.counts[i]!)) return false;
  }
  return true;
}

/** Runs of consecutive indexes: what Prometheus stores as spans. */
export function spanCount({ indexes }: Buckets): number {
  let count = indexes.length === 0 ? 0 : 1;
  for (let i = 1; i < indexes.length; i++) if (indexes[i]! !== indexes[i - 1]! + 1) count++;
  return count;
}
