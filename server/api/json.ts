// hot path: runs per point of a result. Benchmark: bench/json.bench.ts.
import type { FloatHistogram } from '../../model/float-histogram.ts';
import { allBuckets, boundariesOf } from '../../model/histogram-walk.ts';
import type { Labels } from '../../model/labels.ts';
import type { QueryOutcome, QueryStats } from '../../promql/engine.ts';
import type { QueryResult, ResultSeries, StepAxis } from '../../promql/value.ts';
import { formatFloatJson } from '../../util/decimal.ts';
import { CodedError } from '../../util/errors.ts';
import { httpErrorOf, publicText } from './errors.ts';

const INITIAL_BYTES = 4096;

/**
 * Bytes of a JSON text that is put together piece by piece, at most `maxBytes` of them. Its memory is its own, so that
 * it can be transferred to another thread.
 */
export class JsonWriter {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends text that has nothing above U+007F. Throws `limit` when the text gets too long. */
  ascii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  /** Appends any text. */
  utf8(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** What was written. The writer is not to be used any more. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    if (this.#length > this.#maxBytes) {
      throw new CodedError(
        'limit',
        `the answer has more than ${this.#maxBytes} bytes; ask for fewer series or points, or raise --query.max-response-size`,
      );
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** `{"a":"b"}` */
export function labelsJson(labels: Labels): string {
  const { flat } = labels;
  if (flat.length === 0) return '{}';
  let text = '{';
  for (let i = 0; i < flat.length; i += 2) {
    text += `${i === 0 ? '' : ','}${JSON.stringify(flat[i])}:${JSON.stringify(flat[i + 1])}`;
  }
  return `${text}}`;
}

/** Seconds with up to three decimals. */
function timeJson(timeMs: number): string {
  return String(timeMs / 1000);
}

/** Called between series: gives way to other work when it is time, and throws when the query was canceled. */
export type Breather = () => Promise<void>;

/** Points between two calls of the breather: about 1 ms. */
const POINTS_PER_BREATH = 8192;

/** Writes the answer of /query and /query_range. */
export async function writeOutcome(
  out: JsonWriter,
  outcome: QueryOutcome,
  stats: QueryStats | undefined,
  breathe: Breather,
): Promise<void> {
  out.ascii('{"status":"success","data":{"resultType":"');
  out.ascii(`${outcome.result.type}","result":`);
  await writeResult(out, outcome.result, breathe);
  if (stats) out.ascii(`,"stats":${statsJson(stats)}`);
  out.ascii('}');
  writeAnnotations(out, outcome.warnings, outcome.infos);
  out.ascii('}');
}

/** Writes the answer of an endpoint whose `data` is small. */
export function envelope(data: unknown, warnings: readonly string[] = []): Uint8Array<ArrayBuffer> {
  return envelopeOf(warnings.length === 0 ? { status: 'success', data } : { status: 'success', data, warnings });
}

/** An answer as it stands. */
export function envelopeOf(body: object): Uint8Array<ArrayBuffer> {
  return ownBytes(JSON.stringify(body));
}

export interface ErrorAnswer {
  readonly status: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function errorEnvelope(error: unknown): ErrorAnswer {
  const { status, errorType } = httpErrorOf(error);
  return { status, bytes: ownBytes(JSON.stringify({ status: 'error', errorType, error: publicText(error) })) };
}

/** Encoded into memory of its own: a slice of Buffer's pool could not be transferred. */
function ownBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function writeAnnotations(out: JsonWriter, warnings: readonly string[], infos: readonly string[]): void {
  if (warnings.length > 0) out.utf8(`,"warnings":${JSON.stringify(warnings)}`);
  if (infos.length > 0) out.utf8(`,"infos":${JSON.stringify(infos)}`);
}

async function writeResult(out: JsonWriter, result: QueryResult, breathe: Breather): Promise<void> {
  switch (result.type) {
    case 'scalar':
      out.ascii(`[${timeJson(result.timeMs)},"${formatFloatJson(result.value)}"]`);
      return;
    case 'string':
      out.utf8(`[${timeJson(result.timeMs)},${JSON.stringify(result.value)}]`);
      return;
    case 'vector':
      return writeVector(out, result.series, breathe);
    case 'matrix':
      return writeMatrix(out, result.series, result.axis, breathe);
  }
}

async function writeVector(out: JsonWriter, series: readonly ResultSeries[], breathe: Breather): Promise<void> {
  out.ascii('[');
  let timeMs = NaN;
  let prefix = '';
  for (let i = 0; i < series.length; i++) {
    const one = series[i]!;
    const seriesTimeMs = one.times[0]!;
    const histogram = one.histograms?.[0];
    if (histogram) {
      out.utf8(`${i === 0 ? '' : ','}{"metric":${labelsJson(one.labels)}`);
      out.ascii(`,"histogram":[${timeJson(seriesTimeMs)},${histogramJson(histogram)}]}`);
      continue;
    }
    if (seriesTimeMs !== timeMs) {
      timeMs = seriesTimeMs;
      prefix = `,"value":[${timeJson(timeMs)},"`;
    }
    out.utf8(`${i === 0 ? '' : ','}{"metric":${labelsJson(one.labels)}`);
    out.ascii(`${prefix}${formatFloatJson(one.values[0]!)}"]}`);
    if (i % 1024 === 1023) await breathe();
  }
  out.ascii(']');
}

async function writeMatrix(
  out: JsonWriter,
  series: readonly ResultSeries[],
  axis: StepAxis | undefined,
  breathe: Breather,
): Promise<void> {
  out.ascii('[');
  const prefixes = axis ? prefixesOf(axis) : undefined;
  let points = 0;
  for (let i = 0; i < series.length; i++) {
    const one = series[i]!;
    out.utf8(`${i === 0 ? '' : ','}{"metric":${labelsJson(one.labels)}`);
    if (one.histograms) {
      out.ascii(mixedPoints(one, one.histograms));
    } else {
      out.ascii(',"values":[');
      out.ascii(axis && prefixes ? pointsOnAxis(one, axis, prefixes) : pointsAnywhere(one));
      out.ascii(']');
    }
    out.ascii('}');
    points += one.times.length + 1;
    if (points >= POINTS_PER_BREATH) {
      points = 0;
      await breathe();
    }
  }
  out.ascii(']');
}

/** The part of a point before its value, for each step; made once for all series. */
function prefixesOf(axis: StepAxis): string[] {
  const prefixes: string[] = [];
  for (let i = 0; i < axis.count; i++) prefixes.push(`[${timeJson(axis.startMs + i * axis.stepMs)},"`);
  return prefixes;
}

function pointsOnAxis(series: ResultSeries, axis: StepAxis, prefixes: readonly string[]): string {
  const { times, values } = series;
  const { startMs, stepMs } = axis;
  const count = times.length;
  let text = '';
  for (let i = 0; i < count; i++) {
    const step = stepMs === 0 ? 0 : (times[i]! - startMs) / stepMs;
    text += i === 0 ? prefixes[step]! : `,${prefixes[step]!}`;
    text += `${formatFloatJson(values[i]!)}"]`;
  }
  return text;
}

function pointsAnywhere(series: ResultSeries): string {
  const { times, values } = series;
  const count = times.length;
  let text = '';
  for (let i = 0; i < count; i++) {
    text += `${i === 0 ? '' : ','}[${timeJson(times[i]!)},"${formatFloatJson(values[i]!)}"]`;
  }
  return text;
}

/** The floats and the histograms of a series, apart; a list that is empty is left out. */
function mixedPoints({ times, values }: ResultSeries, histograms: readonly (FloatHistogram | undefined)[]): string {
  const points: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < times.length; i++) {
    const time = timeJson(times[i]!);
    const histogram = histograms[i];
    if (histogram) others.push(`[${time},${histogramJson(histogram)}]`);
    else points.push(`[${time},"${formatFloatJson(values[i]!)}"]`);
  }
  const valuesJson = points.length > 0 ? `,"values":[${points.join(',')}]` : '';
  return others.length > 0 ? `${valuesJson},"histograms":[${others.join(',')}]` : valuesJson;
}

/** `{"count":"3","sum":"5","buckets":[[0,"1","2","3"]]}`, with the populated buckets only. */
function histogramJson(histogram: FloatHistogram): string {
  const { lowers, uppers, counts } = allBuckets(histogram);
  const buckets: string[] = [];
  for (let i = 0; i < counts.length; i++) {
    if (counts[i]! === 0) continue;
    const boundaries = boundariesOf(histogram.schema, lowers[i]!, uppers[i]!);
    const [lower, upper, count] = [lowers[i]!, uppers[i]!, counts[i]!].map(formatFloatJson);
    buckets.push(`[${boundaries},"${lower}","${upper}","${count}"]`);
  }
  const list = buckets.length > 0 ? `,"buckets":[${buckets.join(',')}]` : '';
  return `{"count":"${formatFloatJson(histogram.count)}","sum":"${formatFloatJson(histogram.sum)}"${list}}`;
}

function statsJson({ totalQueryableSamples, peakSamples, timings }: QueryStats): string {
  const seconds = (ms: number): number => ms / 1000;
  return JSON.stringify({
    timings: {
      evalTotalTime: seconds(timings.totalMs),
      resultSortTime: seconds(timings.sortMs),
      queryPreparationTime: seconds(timings.preparationMs),
      innerEvalTime: seconds(timings.evaluationMs),
      execQueueTime: 0,
      execTotalTime: seconds(timings.totalMs),
    },
    samples: { totalQueryableSamples, samplesRead: totalQueryableSamples, peakSamples },
  });
}
