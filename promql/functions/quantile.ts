/** Prometheus' quantile of a set of values, which is sorted in place; NaN counts as the least. */
export function quantileOf(q: number, values: Float64Array): number {
  const count = values.length;
  if (count === 0 || q !== q) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  values.sort();
  // A typed array sorts NaN to the end: turn the positions round.
  let nans = 0;
  while (nans < count && values[count - 1 - nans]! !== values[count - 1 - nans]!) nans++;
  const rank = q * (count - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(count - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  const low = lower < nans ? NaN : values[lower - nans]!;
  const high = upper < nans ? NaN : values[upper - nans]!;
  return low * (1 - weight) + high * weight;
}
