import { CodedError } from '../../util/errors.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import { boundsMatch, type FloatHistogram } from '../../model/float-histogram.ts';
import { isReset } from '../../model/histogram-reset.ts';
import { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { SampleColumns } from '../../model/sample.ts';
import type { Querier, Queryable, SelectHints, SeriesSet } from '../../model/storage.ts';
import type { TimestampMs } from '../../model/time.ts';

/** The samples of one series, ascending by time. */
interface MemorySeries {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: number[];
  readonly stale: boolean[];
  /** As long as `times` once the series has a histogram; a row without one is a float. */
  histograms: (FloatHistogram | undefined)[] | undefined;
}

/**
 * A `Queryable` over plain arrays: for scripts of the test language, property tests and pages that evaluate in the
 * browser. A querier sees what was added before it was made or after: there is one writer and no isolation.
 */
export class MemoryStorage implements Queryable {
  readonly #byKey = new Map<string, MemorySeries>();
  #sorted: MemorySeries[] | undefined;

  /**
   * Appends samples to the series of these labels. `times` in ms, ascending and after what is there; `stale[i]` marks a
   * staleness marker, `histograms[i]` is a sample that is a histogram. The arrays are copied. Throws bad_data on a time
   * that is not after the previous one.
   */
  add(
    labels: Labels,
    times: readonly number[],
    values: readonly number[],
    stale?: readonly boolean[],
    histograms?: readonly (FloatHistogram | undefined)[],
  ): void {
    const series = this.#seriesOf(labels);
    for (let i = 0; i < times.length; i++) {
      const time = times[i]!;
      const last = series.times.at(-1);
      if (last !== undefined && time <= last) {
        throw new CodedError('bad_data', `out of order sample at ${time} ms after ${last} ms in ${labels.toString()}`);
      }
      series.times.push(time);
      series.values.push(values[i]!);
      series.stale.push(stale?.[i] ?? false);
      const given = histograms?.[i];
      const histogram = given && withStoredHint(given, series.histograms?.at(-1));
      if (histogram) series.histograms ??= Array.from(series.times.slice(1), () => undefined);
      series.histograms?.push(histogram);
    }
  }

  clear(): void {
    this.#byKey.clear();
    this.#sorted = undefined;
  }

  querier(minTime: TimestampMs, maxTime: TimestampMs): Querier {
    const within = this.#all().filter((series) => overlaps(series, minTime, maxTime));
    return new MemoryQuerier(within);
  }

  #seriesOf(labels: Labels): MemorySeries {
    const key = labels.key();
    let series = this.#byKey.get(key);
    if (!series) {
      series = { labels, times: [], values: [], stale: [], histograms: undefined };
      this.#byKey.set(key, series);
      this.#sorted = undefined;
    }
    return series;
  }

  #all(): readonly MemorySeries[] {
    this.#sorted ??= [...this.#byKey.values()].sort((a, b) => Labels.compare(a.labels, b.labels));
    return this.#sorted;
  }
}

/**
 * The hint that a database has for a histogram: it stores counters in chunks without resets, so that all but the first of
 * a chunk are known not to be reset; of the first it does not know.
 */
function withStoredHint(histogram: FloatHistogram, previous: FloatHistogram | undefined): FloatHistogram {
  if (histogram.hint === 'gauge') return histogram;
  const isContinued =
    previous !== undefined &&
    previous.hint !== 'gauge' &&
    histogram.schema === previous.schema &&
    histogram.zeroThreshold === previous.zeroThreshold &&
    boundsMatch(histogram.customBounds, previous.customBounds) &&
    histogram.hint !== 'reset' &&
    !isReset(histogram.withHint('unknown'), previous);
  return histogram.withHint(isContinued ? 'not_reset' : 'unknown');
}

function overlaps(series: MemorySeries, minTime: TimestampMs, maxTime: TimestampMs): boolean {
  const first = series.times[0];
  const last = series.times.at(-1);
  return first !== undefined && last !== undefined && first <= maxTime && last >= minTime;
}

class MemoryQuerier implements Querier {
  readonly #series: readonly MemorySeries[];

  constructor(series: readonly MemorySeries[]) {
    this.#series = series;
  }

  select(matchers: readonly Matcher[], hints: SelectHints): SeriesSet {
    let found = this.#matching(matchers).filter((series) => overlaps(series, hints.startMs, hints.endMs));
    if (hints.limit !== undefined && hints.limit > 0) found = found.slice(0, hints.limit);
    return new MemorySeriesSet(found);
  }

  labelNames(matchers: readonly Matcher[], limit: number): string[] {
    const names = new Set<string>();
    for (const series of this.#matching(matchers)) for (const [name] of series.labels.entries()) names.add(name);
    return sortedUpTo(names, limit);
  }

  labelValues(name: string, matchers: readonly Matcher[], limit: number): string[] {
    const values = new Set<string>();
    for (const series of this.#matching(matchers)) if (series.labels.has(name)) values.add(series.labels.get(name));
    return sortedUpTo(values, limit);
  }

  close(): void {
    // Nothing is held: the arrays belong to the storage.
  }

  #matching(matchers: readonly Matcher[]): MemorySeries[] {
    return this.#series.filter(({ labels }) => matchers.every((matcher) => matcher.matches(labels.get(matcher.name))));
  }
}

function sortedUpTo(texts: ReadonlySet<string>, limit: number): string[] {
  const sorted = [...texts].sort(compareUtf8);
  return limit > 0 ? sorted.slice(0, limit) : sorted;
}

class MemorySeriesSet implements SeriesSet {
  readonly #series: readonly MemorySeries[];

  constructor(series: readonly MemorySeries[]) {
    this.#series = series;
  }

  get count(): number {
    return this.#series.length;
  }

  labels(index: number): Labels {
    return this.#series[index]!.labels;
  }

  read(index: number, startMs: TimestampMs, endMs: TimestampMs, out: SampleColumns): void {
    const { times, values, stale, histograms } = this.#series[index]!;
    out.clear();
    out.reserve(times.length);
    const first = lowerBound(times, startMs);
    for (let i = first; i < times.length && times[i]! <= endMs; i++) {
      const row = out.count++;
      out.times[row] = times[i]!;
      out.values[row] = stale[i] ? NaN : values[i]!;
      out.stale[row] = stale[i] ? 1 : 0;
      if (stale[i]) out.staleCount++;
    }
    if (!histograms) return;
    for (let row = 0; row < out.count; row++) {
      const histogram = histograms[first + row];
      out.histograms[row] = histogram;
      if (histogram) out.histogramCount++;
    }
  }
}

/** Index of the first element that is at least `time`. */
function lowerBound(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
