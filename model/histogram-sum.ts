// hot path: once per histogram summed by sum, avg and their _over_time forms.
import { boundsMatch, type CounterResetHint, FloatHistogram } from './float-histogram.ts';
import { combinedHint, commonBounds, widenZeroBucket } from './histogram-arithmetic.ts';
import { CUSTOM_SCHEMA } from './histogram-bounds.ts';
import { Buckets, mergedIndexes, rolledUpIndexes, unionIndexes } from './histogram-buckets.ts';
import { absorbedCount, commonZeroThreshold, coveredCount } from './histogram-zero.ts';

/**
 * Kahan-Neumaier compensated addition, as Prometheus does for sum and avg: adds x to sums[i] and collects in rests[i]
 * what rounding lost.
 */
function compensate(sums: Float64Array, rests: Float64Array, i: number, x: number): void {
  const sum = sums[i]!;
  const t = sum + x;
  if (t === Infinity || t === -Infinity) rests[i] = 0;
  else if (Math.abs(sum) >= Math.abs(x)) rests[i] = rests[i]! + (sum - t + x);
  else rests[i] = rests[i]! + (x - t + sum);
  sums[i] = t;
}

/** Running sums of one side. Layouts are shared, counts are its own. */
class SumSide {
  indexes: Int32Array;
  counts: Float64Array;
  rests: Float64Array;

  constructor(indexes: Int32Array, counts: Float64Array, rests: Float64Array) {
    this.indexes = indexes;
    this.counts = counts;
    this.rests = rests;
  }

  static of({ indexes, counts }: Buckets): SumSide {
    return new SumSide(indexes, counts.slice(), new Float64Array(counts.length));
  }

  copy(): SumSide {
    return new SumSide(this.indexes, this.counts.slice(), this.rests.slice());
  }

  /** Adds counts from place `from` on; indexes are ascending and may repeat. */
  add(indexes: Int32Array, counts: Float64Array, from: number): void {
    let at = 0;
    for (let i = from; i < indexes.length; i++) {
      const index = indexes[i]!;
      while (at < this.indexes.length && this.indexes[at]! < index) at++;
      if (at === this.indexes.length || this.indexes[at]! !== index)
        this.#extend(unionIndexes(this.indexes, indexes, i));
      compensate(this.counts, this.rests, at, counts[i]!);
    }
  }

  #extend(indexes: Int32Array): void {
    const { indexes: old, counts, rests } = this;
    this.indexes = indexes;
    this.counts = new Float64Array(indexes.length);
    this.rests = new Float64Array(indexes.length);
    let at = 0;
    for (let i = 0; i < old.length; i++) {
      while (indexes[at]! < old[i]!) at++;
      this.counts[at] = counts[i]!;
      this.rests[at] = rests[i]!;
    }
  }

  /** Moves every bucket to its target; targets are ascending and may repeat. */
  regroup(targets: Int32Array): void {
    const { counts, rests } = this;
    this.indexes = unionIndexes(targets.subarray(0, 0), targets, 0);
    this.counts = new Float64Array(this.indexes.length);
    this.rests = new Float64Array(this.indexes.length);
    let at = 0;
    for (let i = 0; i < targets.length; i++) {
      while (this.indexes[at]! < targets[i]!) at++;
      compensate(this.counts, this.rests, at, counts[i]!);
      compensate(this.counts, this.rests, at, rests[i]!);
    }
  }

  dropFirst(count: number): void {
    if (count === 0) return;
    this.indexes = this.indexes.slice(count);
    this.counts = this.counts.slice(count);
    this.rests = this.rests.slice(count);
  }

  scale(factor: number): void {
    for (let i = 0; i < this.counts.length; i++) {
      this.counts[i] = this.counts[i]! * factor;
      this.rests[i] = this.rests[i]! * factor;
    }
  }

  divide(divisor: number): void {
    for (let i = 0; i < this.counts.length; i++) {
      this.counts[i] = this.counts[i]! / divisor;
      this.rests[i] = this.rests[i]! / divisor;
    }
  }

  total(): Buckets {
    const counts = new Float64Array(this.counts.length);
    for (let i = 0; i < counts.length; i++) counts[i] = this.counts[i]! + this.rests[i]!;
    return new Buckets(this.indexes, counts);
  }
}

/** What became of an addition. On `incompatible` (exponential with custom buckets) nothing was added. */
export type AddOutcome = 'added' | 'reconciled' | 'incompatible';

/** Places in `#totals`. */
const COUNT = 0;
const SUM = 1;
const ZERO = 2;

/** The compensated sum of histograms. Begins with the first one; others bring it to the layout they have in common. */
export class HistogramSum {
  #hint: CounterResetHint;
  #schema: number;
  #zeroThreshold: number;
  #customBounds: Float64Array;
  /** Count, sum and zero count. */
  #totals: Float64Array;
  #rests = new Float64Array(3);
  #positive: SumSide;
  #negative: SumSide;

  constructor(first: FloatHistogram) {
    this.#hint = first.hint;
    this.#schema = first.schema;
    this.#zeroThreshold = first.zeroThreshold;
    this.#customBounds = first.customBounds;
    this.#totals = Float64Array.of(first.count, first.sum, first.zeroCount);
    this.#positive = SumSide.of(first.positive);
    this.#negative = SumSide.of(first.negative);
  }

  copy(): HistogramSum {
    const copy = new HistogramSum(this.total());
    copy.#totals = this.#totals.slice();
    copy.#rests = this.#rests.slice();
    copy.#positive = this.#positive.copy();
    copy.#negative = this.#negative.copy();
    return copy;
  }

  add(h: FloatHistogram): AddOutcome {
    if (h.hasCustomBuckets !== (this.#schema === CUSTOM_SCHEMA)) return 'incompatible';
    this.#hint = combinedHint(this.#hint, h.hint);
    compensate(this.#totals, this.#rests, COUNT, h.count);
    compensate(this.#totals, this.#rests, SUM, h.sum);
    if (h.hasCustomBuckets) return this.#addCustom(h);
    this.#addExponential(h);
    return 'added';
  }

  #addCustom({ positive, customBounds }: FloatHistogram): AddOutcome {
    if (boundsMatch(this.#customBounds, customBounds)) {
      this.#positive.add(positive.indexes, positive.counts, 0);
      return 'added';
    }
    const common = commonBounds(this.#customBounds, customBounds);
    this.#positive.regroup(rolledUpIndexes(this.#positive.indexes, this.#customBounds, common));
    this.#positive.add(rolledUpIndexes(positive.indexes, customBounds, common), positive.counts, 0);
    this.#customBounds = common;
    return 'reconciled';
  }

  #addExponential(other: FloatHistogram): void {
    let h = other;
    if (h.zeroThreshold !== this.#zeroThreshold) {
      const sides = { schema: this.#schema, zeroThreshold: this.#zeroThreshold };
      const threshold = commonZeroThreshold({ ...sides, positive: this.#positive, negative: this.#negative }, h);
      this.#widenZeroBucket(threshold);
      h = widenZeroBucket(h, threshold);
    }
    compensate(this.#totals, this.#rests, ZERO, h.zeroCount);
    if (h.schema < this.#schema) {
      this.#positive.regroup(mergedIndexes(this.#positive.indexes, this.#schema - h.schema));
      this.#negative.regroup(mergedIndexes(this.#negative.indexes, this.#schema - h.schema));
      this.#schema = h.schema;
    }
    this.#addSide(this.#positive, h.positive, h.schema - this.#schema);
    this.#addSide(this.#negative, h.negative, h.schema - this.#schema);
  }

  #addSide(side: SumSide, added: Buckets, shift: number): void {
    const indexes = shift === 0 ? added.indexes : mergedIndexes(added.indexes, shift);
    side.add(indexes, added.counts, coveredCount(indexes, this.#schema, this.#zeroThreshold));
  }

  #widenZeroBucket(threshold: number): void {
    if (threshold === this.#zeroThreshold) return;
    for (const side of [this.#positive, this.#negative]) {
      const count = absorbedCount(side, this.#schema, threshold);
      for (let i = 0; i < count; i++) {
        compensate(this.#totals, this.#rests, ZERO, side.counts[i]!);
        compensate(this.#totals, this.#rests, ZERO, side.rests[i]!);
      }
      side.dropFirst(count);
    }
    this.#zeroThreshold = threshold;
  }

  /** Every part times a factor that is not negative. */
  scale(factor: number): void {
    for (let i = 0; i < this.#totals.length; i++) {
      this.#totals[i] = this.#totals[i]! * factor;
      this.#rests[i] = this.#rests[i]! * factor;
    }
    this.#positive.scale(factor);
    this.#negative.scale(factor);
  }

  /** Every part divided by a positive number. */
  divide(divisor: number): void {
    for (let i = 0; i < this.#totals.length; i++) {
      this.#totals[i] = this.#totals[i]! / divisor;
      this.#rests[i] = this.#rests[i]! / divisor;
    }
    this.#positive.divide(divisor);
    this.#negative.divide(divisor);
  }

  get isOverflown(): boolean {
    return isInfinite(this.#totals) || isInfinite(this.#positive.counts) || isInfinite(this.#negative.counts);
  }

  /** The sum with its compensation. Buckets that have become empty are still there. */
  total(): FloatHistogram {
    const totals = this.#totals;
    const rests = this.#rests;
    return new FloatHistogram({
      hint: this.#hint,
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: totals[ZERO]! + rests[ZERO]!,
      count: totals[COUNT]! + rests[COUNT]!,
      sum: totals[SUM]! + rests[SUM]!,
      positive: this.#positive.total(),
      negative: this.#negative.total(),
      customBounds: this.#customBounds,
    });
  }
}

function isInfinite(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i]! === Infinity || values[i]! === -Infinity) return true;
  return false;
}

/** The mean of histograms: their sum divided; from the first overflow of the sum on, an incremental mean. */
export class HistogramMean {
  #sum: HistogramSum;
  #count = 1;
  #isIncremental = false;
  /** No component of the sum is above this. */
  #magnitude: number;

  constructor(first: FloatHistogram) {
    this.#sum = new HistogramSum(first);
    this.#magnitude = magnitudeOf(first);
  }

  add(h: FloatHistogram): AddOutcome {
    const count = ++this.#count;
    if (!this.#isIncremental) {
      this.#magnitude += magnitudeOf(h);
      if (this.#magnitude < Number.MAX_VALUE) return this.#sum.add(h);
      const trial = this.#sum.copy();
      const outcome = trial.add(h);
      if (outcome === 'incompatible') return outcome;
      if (!trial.isOverflown) {
        this.#sum = trial;
        return outcome;
      }
      this.#isIncremental = true;
      this.#sum.divide(count - 1);
    }
    this.#sum.scale((count - 1) / count);
    return this.#sum.add(h.divide(count));
  }

  /** The mean; nothing may be added after. */
  result(): FloatHistogram {
    if (!this.#isIncremental) this.#sum.divide(this.#count);
    return this.#sum.total();
  }
}

function magnitudeOf({ count, sum, zeroCount, positive, negative }: FloatHistogram): number {
  let magnitude = Math.abs(count) + Math.abs(sum) + Math.abs(zeroCount);
  for (let i = 0; i < positive.counts.length; i++) magnitude += Math.abs(positive.counts[i]!);
  for (let i = 0; i < negative.counts.length; i++) magnitude += Math.abs(negative.counts[i]!);
  return magnitude;
}
