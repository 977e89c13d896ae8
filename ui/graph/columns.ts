import type { LabelSet, MatrixSeries } from '../../model/http-api.ts';

/** Values of one series on the shared times; `null` is a gap. Typed while there is none. */
export type Column = Float64Array | (number | null)[];

export interface ChartSeries {
  readonly name: string;
  readonly labels: LabelSet;
  readonly values: Column;
  /** Drawn in grey, as background. */
  readonly isMuted?: boolean;
}

export interface ChartData {
  /** Seconds, ascending, equally spaced. */
  readonly times: Float64Array;
  readonly series: readonly ChartSeries[];
}

export interface Grid {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** The steps of a range query as times in seconds. */
export function gridTimes({ start, end, step }: Grid): Float64Array {
  const count = Math.max(0, Math.floor((end - start) / step + 1e-6)) + 1;
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) times[i] = Math.round((start + i * step) * 1000) / 1000;
  return times;
}

/** Puts a matrix on its grid. NaN and infinities are gaps: they have no place on a linear axis. */
export function toColumn(series: MatrixSeries, grid: Grid, count: number): Column {
  const points = series.values ?? [];
  const full = new Float64Array(count);
  const isSet = new Uint8Array(count);
  let present = 0;
  for (let i = 0; i < points.length; i++) {
    const point = points[i]!;
    const value = Number(point[1]);
    const row = Math.round((point[0] - grid.start) / grid.step);
    // 'NaN' and '+Inf' read as NaN and '+Inf' -> NaN: neither is finite.
    if (row < 0 || row >= count || !Number.isFinite(value)) continue;
    if (isSet[row] === 0) present++;
    full[row] = value;
    isSet[row] = 1;
  }
  if (present === count) return full;
  const gapped: (number | null)[] = Array.from({ length: count });
  for (let i = 0; i < count; i++) gapped[i] = isSet[i] === 1 ? full[i]! : null;
  return gapped;
}

/** Each series on top of those before it; a gap adds nothing, and stays a gap in its own column. */
export function stack(columns: readonly Column[], count: number): Column[] {
  const sum = new Float64Array(count);
  return columns.map((column) => {
    const out: (number | null)[] = Array.from({ length: count });
    for (let i = 0; i < count; i++) {
      const value = column[i] ?? null;
      if (value !== null) sum[i]! += value;
      out[i] = value === null ? null : sum[i]!;
    }
    return out;
  });
}

export interface Summary {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** The newest value. */
  readonly last: number;
}

/** Undefined when the column has gaps only. */
export function summarize(column: Column): Summary | undefined {
  let [min, max, sum, count, last] = [Infinity, -Infinity, 0, 0, NaN];
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (value === null || value === undefined) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count++;
    last = value;
  }
  return count === 0 ? undefined : { min, max, mean: sum / count, last };
}

/**
 * The series whose value at `row` is drawn nearest to `y`, among those shown; -1 when none has one. `toY` maps a value to
 * the same pixels as `y`.
 */
export function nearestSeries(
  columns: readonly Column[],
  row: number,
  y: number,
  toY: (value: number) => number,
  isShown: (index: number) => boolean,
): number {
  let nearest = -1;
  let best = Infinity;
  for (let i = 0; i < columns.length; i++) {
    const value = columns[i]![row];
    if (value === null || value === undefined || !isShown(i)) continue;
    const distance = Math.abs(toY(value) - y);
    if (distance < best) {
      best = distance;
      nearest = i;
    }
  }
  return nearest;
}

/**
 * Rows to draw of a long column: of each bucket of `perBucket` rows the lowest and the highest, so that no spike is lost.
 * All rows of all columns must stay aligned, hence a common x: each bucket gives two rows, min first when it came first.
 */
export function thin(times: Float64Array, columns: readonly Column[], perBucket: number): [Float64Array, Column[]] {
  const buckets = Math.ceil(times.length / perBucket);
  const outTimes = new Float64Array(buckets * 2);
  for (let b = 0; b < buckets; b++) {
    const first = b * perBucket;
    const last = Math.min(times.length, first + perBucket) - 1;
    outTimes[2 * b] = times[first]!;
    outTimes[2 * b + 1] = last > first ? (times[first]! + times[last]!) / 2 : times[first]!;
  }
  return [outTimes, columns.map((column) => thinColumn(column, perBucket, buckets))];
}

function thinColumn(column: Column, perBucket: number, buckets: number): Column {
  const out: (number | null)[] = Array.from({ length: buckets * 2 });
  for (let b = 0; b < buckets; b++) {
    let [low, high, lowAt, highAt] = [Infinity, -Infinity, -1, -1];
    const end = Math.min(column.length, (b + 1) * perBucket);
    for (let i = b * perBucket; i < end; i++) {
      const value = column[i];
      if (value === null || value === undefined) continue;
      if (value < low) [low, lowAt] = [value, i];
      if (value > high) [high, highAt] = [value, i];
    }
    const isEmpty = lowAt < 0;
    out[2 * b] = isEmpty ? null : lowAt <= highAt ? low : high;
    out[2 * b + 1] = isEmpty ? null : lowAt <= highAt ? high : low;
  }
  return out;
}
