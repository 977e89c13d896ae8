import { boundsMatch, type FloatHistogram } from '../../model/float-histogram.ts';
import type { Buckets } from '../../model/histogram-buckets.ts';
import { formatHistogramNotation } from '../../model/histogram-text.ts';
import { Labels } from '../../model/labels.ts';
import { unreachable } from '../../util/assert.ts';
import { formatFloatG } from '../../util/decimal.ts';
import type { SequenceValue } from '../parse/series-notation.ts';
import type { QueryResult, ResultSeries } from '../value.ts';
import { textMatches, type Expectation } from './expectation.ts';
import type { EvalCommand, ExpectedSeries } from './script.ts';

// Each function returns what is wrong, or undefined.

const RELATIVE_ERROR_MAX = 1e-6;
const SMALLEST_NORMAL = 2 ** -1022;

/** Equal within a relative error of 1e-6; NaN equals NaN. */
export function almostEqual(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < SMALLEST_NORMAL) return difference < RELATIVE_ERROR_MAX * SMALLEST_NORMAL;
  return difference / Math.min(sum, Number.MAX_VALUE) < RELATIVE_ERROR_MAX;
}

export function compareResult(command: EvalCommand, result: QueryResult): string | undefined {
  switch (result.type) {
    case 'string':
      return command.string === result.value
        ? undefined
        : `expected string ${JSON.stringify(command.string)} but got ${JSON.stringify(result.value)}`;
    case 'scalar':
      if (command.scalar === undefined) return `expected vector or matrix result, but got scalar ${result.value}`;
      return almostEqual(command.scalar, result.value)
        ? undefined
        : `expected scalar ${command.scalar} but got ${result.value}`;
    case 'vector':
      if (command.scalar !== undefined) return 'expected scalar result, but got a vector';
      return compareVector(command, result.series);
    case 'matrix':
      if (isOrdered(command)) return 'expected ordered result, but query returned a matrix';
      if (command.scalar !== undefined) return 'expected scalar result, but got a matrix';
      return compareMatrix(command, result.series);
    default:
      return unreachable(result);
  }
}

export function isOrdered(command: EvalCommand): boolean {
  return command.expectations.some(({ kind }) => kind === 'ordered');
}

/** One point a series, in any order unless the command says otherwise. */
export function compareVector(command: EvalCommand, series: readonly ResultSeries[]): string | undefined {
  const expected = byLabels(command.series);
  const seen = new Set<string>();
  for (let i = 0; i < series.length; i++) {
    const { labels } = series[i]!;
    const key = labels.key();
    const want = expected.get(key);
    const got = pointOf(series[i]!, 0);
    if (!want) return `unexpected metric ${labels.toString()} in result, has value ${formatPoint(got)}`;
    if (seen.has(key)) return `metric ${labels.toString()} is in the result more than once`;
    if (isOrdered(command) && want.position !== i + 1) {
      return `expected metric ${labels.toString()} at position ${want.position} but was at ${i + 1}`;
    }
    const value = want.values[0];
    if (!matchesPoint(value, got)) {
      return `expected ${formatValue(value)} for ${labels.toString()} but got ${formatPoint(got)}`;
    }
    seen.add(key);
  }
  return missing(expected, seen);
}

function compareMatrix(command: EvalCommand, series: readonly ResultSeries[]): string | undefined {
  const unsorted = checkSorted(series);
  if (unsorted !== undefined) return unsorted;
  const expected = byLabels(command.series);
  const seen = new Set<string>();
  for (const each of series) {
    const key = each.labels.key();
    const want = expected.get(key);
    if (!want) return `unexpected metric ${each.labels.toString()} in result, has ${formatPoints(each)}`;
    const fault = comparePoints(command, want, each);
    if (fault !== undefined) return fault;
    seen.add(key);
  }
  return missing(expected, seen);
}

/** A matrix must be sorted by labels. */
export function checkSorted(series: readonly ResultSeries[]): string | undefined {
  for (let i = 1; i < series.length; i++) {
    const previous = series[i - 1]!.labels;
    const { labels } = series[i]!;
    if (Labels.compare(previous, labels) > 0) {
      return `matrix results should always be sorted by labels, but ${labels.toString()} follows ${previous.toString()}`;
    }
  }
  return undefined;
}

function comparePoints(command: EvalCommand, want: ExpectedSeries, got: ResultSeries): string | undefined {
  const { startMs, endMs, stepMs } = command;
  const name = got.labels.toString();
  if (want.values.length > 1 && startMs + (want.values.length - 1) * stepMs > endMs) {
    return `expected ${want.values.length} points for ${name}, but query time range cannot return this many points`;
  }
  let index = 0;
  for (let i = 0; i < want.values.length; i++) {
    const value = want.values[i]!;
    if (value === 'absent') continue;
    const time = startMs + i * stepMs;
    if (got.times[index] !== time || !matchesPoint(value, pointOf(got, index))) {
      return `expected ${formatValue(value)} at ${time} for ${name}, but got ${formatPoints(got)}`;
    }
    index++;
  }
  return index === got.times.length ? undefined : `expected ${index} points for ${name}, but got ${formatPoints(got)}`;
}

/** Series without a point say nothing: they must not be in the result. */
function byLabels(series: readonly ExpectedSeries[]): Map<string, ExpectedSeries> {
  return new Map(series.map((each) => [each.labels.key(), each]));
}

function missing(expected: ReadonlyMap<string, ExpectedSeries>, seen: ReadonlySet<string>): string | undefined {
  for (const [key, { labels, values }] of expected) {
    if (!seen.has(key))
      return `expected metric ${labels.toString()} with ${values.map(formatValue).join(' ')} not found`;
  }
  return undefined;
}

function formatValue(value: SequenceValue | undefined): string {
  if (typeof value === 'object') return formatHistogramNotation(value.histogram);
  if (typeof value === 'number') return formatFloatG(value);
  return value ?? 'no value';
}

function pointOf({ values, histograms }: ResultSeries, index: number): number | FloatHistogram {
  return histograms?.[index] ?? values[index]!;
}

function formatPoint(point: number | FloatHistogram): string {
  return typeof point === 'number' ? formatFloatG(point) : formatHistogramNotation(point);
}

function matchesPoint(want: SequenceValue | undefined, got: number | FloatHistogram): boolean {
  if (typeof want === 'object') {
    if (typeof got === 'number' || (want.hasHint && want.histogram.hint !== got.hint)) return false;
    return almostEqualHistograms(want.histogram.compact(), got.compact());
  }
  return typeof want === 'number' && typeof got === 'number' && almostEqual(want, got);
}

/** Same layout, zero threshold and bounds, and counts and sums within the tolerance. */
function almostEqualHistograms(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    a.zeroThreshold === b.zeroThreshold &&
    boundsMatch(a.customBounds, b.customBounds) &&
    almostEqual(a.zeroCount, b.zeroCount) &&
    almostEqual(a.count, b.count) &&
    almostEqual(a.sum, b.sum) &&
    almostEqualBuckets(a.positive, b.positive) &&
    almostEqualBuckets(a.negative, b.negative)
  );
}

function almostEqualBuckets(a: Buckets, b: Buckets): boolean {
  if (a.indexes.length !== b.indexes.length) return false;
  return a.counts.every((count, i) => a.indexes[i] === b.indexes[i] && almostEqual(count, b.counts[i]!));
}

function formatPoints(series: ResultSeries): string {
  const points = Array.from(series.times, (time, i) => `${formatPoint(pointOf(series, i))} @[${time}]`);
  return points.length === 0 ? 'no points' : points.join(' ');
}

export function compareAnnotations(
  command: EvalCommand,
  { warnings, infos }: { readonly warnings: readonly string[]; readonly infos: readonly string[] },
): string | undefined {
  const fault =
    compareTexts(command.expectations, 'warn', warnings) ?? compareTexts(command.expectations, 'info', infos);
  if (fault !== undefined) return fault;
  const has = (kind: string): boolean => command.expectations.some((each) => each.kind === kind);
  if (has('no_warn') && warnings.length > 0) return `unexpected warning annotations: ${warnings.join('; ')}`;
  if (has('no_info') && infos.length > 0) return `unexpected info annotations: ${infos.join('; ')}`;
  return undefined;
}

/** With any line of a kind, each line must find a text and each text a line. */
function compareTexts(
  all: readonly Expectation[],
  kind: 'warn' | 'info',
  texts: readonly string[],
): string | undefined {
  const lines = all.filter((each) => each.kind === kind);
  if (lines.length === 0) return undefined;
  if (texts.length === 0) return `expected ${kind} annotations but none were found`;
  for (const { match } of lines) {
    if (!texts.some((text) => textMatches(match, text))) {
      return `expected ${kind} annotation matching ${JSON.stringify(match?.text)}, found: ${texts.join('; ')}`;
    }
  }
  const stray = texts.find((text) => !lines.some(({ match }) => textMatches(match, text)));
  return stray === undefined ? undefined : `unexpected ${kind} annotation ${JSON.stringify(stray)}`;
}
