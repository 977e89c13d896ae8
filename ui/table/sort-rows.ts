/** A sorted copy; equal rows keep their order, rows without a value come last either way. */
export function sortRows<R>(
  rows: readonly R[],
  sortBy: (row: R) => string | number | undefined,
  isDescending: boolean,
): R[] {
  const sign = isDescending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [sortBy(a), sortBy(b)];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1;
    if (typeof x === 'string' || typeof y === 'string') {
      return sign * String(x).localeCompare(String(y), 'en', { numeric: true });
    }
    return sign * (x - y);
  });
}
