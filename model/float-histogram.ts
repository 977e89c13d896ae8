import {
  type Buckets,
  compactBuckets,
  divideBuckets,
  equalBuckets,
  NO_BUCKETS,
  reduceBuckets,
  scaleBuckets,
  spanCount,
} from './histogram-buckets.ts';
import { CUSTOM_SCHEMA } from './histogram-bounds.ts';

/**
 * What a histogram knows of its predecessor in the series: a counter that was reset or was not, a gauge, which cannot
 * be, or nothing.
 */
export type CounterResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

export interface FloatHistogramFields {
  readonly hint: CounterResetHint;
  /** -4 to 8: exponential buckets; CUSTOM_SCHEMA: bounds in `customBounds`. */
  readonly schema: number;
  /** Observations of at most this size are in the zero bucket; 0 with custom buckets, as is the zero count. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positive: Buckets;
  /** Buckets of negative observations by the index of their absolute value; none with custom buckets. */
  readonly negative: Buckets;
  /** Upper bounds of custom buckets, ascending, without +Inf; empty with an exponential schema. */
  readonly customBounds: Float64Array;
}

export const NO_BOUNDS = new Float64Array(0);

/**
 * A native histogram with absolute counts that may be fractions, as queries compute with. Immutable: operations return
 * new ones, which may share layouts and bounds with their operands. Arithmetic of two: model/histogram-arithmetic.ts.
 */
export class FloatHistogram {
  readonly hint: CounterResetHint;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  readonly customBounds: Float64Array;

  constructor(fields: FloatHistogramFields) {
    this.hint = fields.hint;
    this.schema = fields.schema;
    this.zeroThreshold = fields.zeroThreshold;
    this.zeroCount = fields.zeroCount;
    this.count = fields.count;
    this.sum = fields.sum;
    this.positive = fields.positive;
    this.negative = fields.negative;
    this.customBounds = fields.customBounds;
  }

  /** No observations, in the buckets of another. */
  static emptyLike({ schema, customBounds }: FloatHistogram): FloatHistogram {
    return new FloatHistogram({ ...EMPTY, schema, customBounds });
  }

  get hasCustomBuckets(): boolean {
    return this.schema === CUSTOM_SCHEMA;
  }

  withHint(hint: CounterResetHint): FloatHistogram {
    return hint === this.hint ? this : new FloatHistogram({ ...this.#fields(), hint });
  }

  /** All counts and the sum times `factor`; a negative factor makes it a gauge. */
  scale(factor: number): FloatHistogram {
    return new FloatHistogram({
      hint: factor < 0 ? 'gauge' : this.hint,
      schema: this.schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.zeroCount * factor,
      count: this.count * factor,
      sum: this.sum * factor,
      positive: scaleBuckets(this.positive, factor),
      negative: scaleBuckets(this.negative, factor),
      customBounds: this.customBounds,
    });
  }

  /** All counts and the sum divided; a division by zero leaves no buckets but the zero bucket, with Inf or NaN. */
  divide(divisor: number): FloatHistogram {
    return new FloatHistogram({
      hint: divisor < 0 ? 'gauge' : this.hint,
      schema: this.schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.zeroCount / divisor,
      count: this.count / divisor,
      sum: this.sum / divisor,
      positive: divisor === 0 ? NO_BUCKETS : divideBuckets(this.positive, divisor),
      negative: divisor === 0 ? NO_BUCKETS : divideBuckets(this.negative, divisor),
      customBounds: this.customBounds,
    });
  }

  /** Without empty buckets. */
  compact(): FloatHistogram {
    const positive = compactBuckets(this.positive);
    const negative = compactBuckets(this.negative);
    if (positive === this.positive && negative === this.negative) return this;
    return new FloatHistogram({ ...this.#fields(), positive, negative });
  }

  /** With the wider buckets of an exponential schema that is not above the present one. */
  reduce(schema: number): FloatHistogram {
    if (schema === this.schema) return this;
    const shift = this.schema - schema;
    return new FloatHistogram({
      ...this.#fields(),
      schema,
      positive: reduceBuckets(this.positive, shift),
      negative: reduceBuckets(this.negative, shift),
    });
  }

  /** Equal in every bit of the data and in the buckets there are, empty ones included; hints do not count. */
  equals(other: FloatHistogram): boolean {
    if (this.schema !== other.schema || this.zeroThreshold !== other.zeroThreshold) return false;
    if (!Object.is(this.count, other.count) || !Object.is(this.sum, other.sum)) return false;
    if (!Object.is(this.zeroCount, other.zeroCount)) return false;
    if (!boundsMatch(this.customBounds, other.customBounds)) return false;
    return equalBuckets(this.positive, other.positive) && equalBuckets(this.negative, other.negative);
  }

  /** As how many float samples it counts in a query's limit: by the bytes that Prometheus holds it in. */
  get sampleWeight(): number {
    const { positive, negative, customBounds } = this;
    const words =
      spanCount(positive) + spanCount(negative) + positive.counts.length + negative.counts.length + customBounds.length;
    return Math.floor((FIXED_BYTES + 8 * words + TIME_BYTES) / FLOAT_SAMPLE_BYTES);
  }

  #fields(): FloatHistogramFields {
    const { hint, schema, zeroThreshold, zeroCount, count, sum, positive, negative, customBounds } = this;
    return { hint, schema, zeroThreshold, zeroCount, count, sum, positive, negative, customBounds };
  }
}

const FIXED_BYTES = 168;
const TIME_BYTES = 8;
const FLOAT_SAMPLE_BYTES = 16;

const EMPTY: FloatHistogramFields = {
  hint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  sum: 0,
  positive: NO_BUCKETS,
  negative: NO_BUCKETS,
  customBounds: NO_BOUNDS,
};

export function boundsMatch(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i]! !== b[i]!) return false;
  return true;
}
