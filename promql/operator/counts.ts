import { CodedError } from '../../util/errors.ts';
import { formatFloatG } from '../../util/decimal.ts';

const INT64_MAX = 2 ** 63;

/** The k of topk and the like at each step, at most `max`; below 1 is 0. Throws for values that are no int64. */
export function toCounts(values: Float64Array, max: number): Int32Array {
  const counts = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const k = values[i]!;
    if (k !== k) throw new CodedError('execution', 'Parameter value is NaN');
    if (k >= INT64_MAX) throw new CodedError('execution', `Scalar value ${formatFloatG(k)} overflows int64`);
    if (k <= -INT64_MAX) throw new CodedError('execution', `Scalar value ${formatFloatG(k)} underflows int64`);
    counts[i] = Math.max(0, Math.min(max, Math.trunc(k)));
  }
  return counts;
}
