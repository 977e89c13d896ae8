// The receiving side of remote write: a request becomes one commit. Runs on the thread that owns the head.
import { isLabelName } from '../model/relabel.ts';
import { Labels, METRIC_NAME } from '../model/labels.ts';
import { SampleBatch, type SeriesRef } from '../model/sample.ts';
import type { Appender, CommitResult } from '../model/storage.ts';
import { snappyUncompress } from '../util/compress.ts';
import { CodedError } from '../util/errors.ts';
import type { Host } from '../util/host.ts';
import type { Counter, MetricRegistry } from '../util/metrics.ts';
import { Pool } from '../util/pool.ts';
import { LabelCache } from './label-cache.ts';
import { WriteRequestReader } from './wire/write.ts';

/** Of a request, packed and unpacked. */
export const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Samples this far ahead are refused, as Prometheus does. */
const FUTURE_MS_MAX = 10 * 60_000;
/** The thread is held no longer than this at a time. */
const TURN_MS = 4;
const SERIES_PER_LOOK = 64;
const BATCHES_KEPT_MAX = 4;

/** What of a request was not stored, beside what the commit says. */
interface Rejections {
  invalidSeriesCount: number;
  futureSampleCount: number;
  histogramCount: number;
  limitedSeriesCount: number;
  first: string | undefined;
}

export class WriteReceiver {
  readonly #appender: Appender;
  readonly #host: Host;
  readonly #cache: LabelCache;
  readonly #batches = new Pool(() => new SampleBatch(4096), BATCHES_KEPT_MAX);
  readonly #samples: Counter;
  readonly #rejected: Counter;

  constructor(appender: Appender, host: Host, registry: MetricRegistry) {
    this.#appender = appender;
    this.#host = host;
    this.#cache = new LabelCache(host.random);
    this.#samples = registry.counter(
      'narthex_remote_write_samples_received_total',
      'Samples of remote-write requests, stored or not.',
    );
    this.#rejected = registry.counter(
      'narthex_remote_write_rejected_total',
      'Samples (or series, where they are at fault) of remote-write requests that were not stored, by reason.',
      ['reason'],
    );
  }

  /**
   * Stores the valid samples of a snappy-packed prometheus.WriteRequest as one commit. Resolves with undefined when all
   * were stored, else with the first reason and counts, for the sender (T1, T2). Rejects with bad_data for what is not
   * such a request, and with the storage's error when nothing was stored.
   */
  async receive(packed: Uint8Array): Promise<string | undefined> {
    const bytes = unpack(packed);
    const batch = this.#batches.take();
    batch.clear();
    try {
      const rejections = await this.#readAll(bytes, batch);
      this.#samples.inc(batch.count + rejections.futureSampleCount);
      const result = batch.count === 0 ? undefined : await this.#appender.commit(batch);
      return this.#summary(rejections, result);
    } finally {
      this.#batches.give(batch);
    }
  }

  async #readAll(bytes: Uint8Array, batch: SampleBatch): Promise<Rejections> {
    const { clock } = this.#host;
    const reader = new WriteRequestReader(bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const latestMs = clock.nowMs() + FUTURE_MS_MAX;
    const rejections: Rejections = {
      invalidSeriesCount: 0,
      futureSampleCount: 0,
      histogramCount: 0,
      limitedSeriesCount: 0,
      first: undefined,
    };
    let turnStartMs = clock.monotonicMs();
    for (let series = 1; reader.next(); series++) {
      if (reader.histogramCount > 0) {
        rejections.histogramCount += reader.histogramCount;
        rejections.first ??= 'native histograms cannot be stored yet';
      }
      if (reader.samples.count > 0) {
        const ref = this.#refOf(reader, view, rejections);
        if (ref !== 0) addRows(reader, ref, latestMs, batch, rejections);
      }
      if (series % SERIES_PER_LOOK === 0 && clock.monotonicMs() - turnStartMs > TURN_MS) {
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 0));
        turnStartMs = clock.monotonicMs();
      }
    }
    return rejections;
  }

  /** 0 when the series is refused. */
  #refOf(reader: WriteRequestReader, view: DataView, rejections: Rejections): SeriesRef {
    // Scattered labels hold other bytes between them; such a request is rare and is looked up by its strings.
    const known = reader.labelsScattered ? 0 : this.#cache.find(view, reader.labelsStart, reader.labelsEnd);
    if (known !== 0) return known;
    try {
      const ref = this.#appender.seriesRef(labelsOf(reader));
      if (!reader.labelsScattered) this.#cache.add(ref);
      return ref;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (error.code === 'limit') rejections.limitedSeriesCount++;
      else if (error.code === 'bad_data') rejections.invalidSeriesCount++;
      else throw error;
      rejections.first ??= error.message;
      return 0;
    }
  }

  #summary(rejections: Rejections, result: CommitResult | undefined): string | undefined {
    const counts: [string, number][] = [
      ['out of order samples', result?.outOfOrderCount ?? 0],
      ['duplicate samples', result?.duplicateCount ?? 0],
      ['samples out of bounds', (result?.outOfBoundsCount ?? 0) + rejections.futureSampleCount],
      ['invalid series', rejections.invalidSeriesCount],
      ['series beyond the limit', rejections.limitedSeriesCount],
      ['native histograms', rejections.histogramCount],
    ];
    const met = counts.filter(([, count]) => count > 0);
    for (const [reason, count] of met) this.#rejected.inc(count, reason.replaceAll(' ', '_'));
    if (met.length === 0) return undefined;
    const first = rejections.first ?? result?.firstError ?? 'samples were refused';
    return `${first}; not stored: ${met.map(([reason, count]) => `${count} ${reason}`).join(', ')}`;
  }
}

function unpack(packed: Uint8Array): Uint8Array {
  try {
    return snappyUncompress(packed, BODY_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'limit') throw error;
    throw new CodedError('bad_data', `decoded size exceeds the ${BODY_BYTES_MAX} bytes limit`, { cause: error });
  }
}

/** Throws bad_data, naming the series, for labels that no series may have. */
function labelsOf(reader: WriteRequestReader): Labels {
  const flat = reader.labelPairs();
  const pairs: [string, string][] = [];
  const names = new Set<string>();
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    if (!isLabelName(name, 'utf8')) throw invalid('has an invalid label name', flat);
    if (names.has(name)) throw invalid(`repeats the label name ${JSON.stringify(name)}`, flat);
    names.add(name);
    pairs.push([name, flat[i + 1]!]);
  }
  const labels = Labels.fromPairs(pairs);
  if (!labels.has(METRIC_NAME)) throw invalid('has no metric name', flat);
  return labels;
}

function invalid(what: string, flat: readonly string[]): CodedError {
  const shown = flat.map((text, i) => (i % 2 === 0 ? `${i === 0 ? '' : ', '}${text}=` : JSON.stringify(text))).join('');
  return new CodedError('bad_data', `series {${shown}} ${what}`);
}

function addRows(
  reader: WriteRequestReader,
  ref: SeriesRef,
  latestMs: number,
  batch: SampleBatch,
  rejections: Rejections,
): void {
  const { times, words, count } = reader.samples;
  for (let i = 0; i < count; i++) {
    const timeMs = times[i]!;
    if (timeMs > latestMs || timeMs === -Infinity) {
      rejections.futureSampleCount++;
      rejections.first ??= 'out of bounds: a sample is more than 10 minutes ahead of this server';
      continue;
    }
    batch.appendWords(ref, timeMs, words[i * 2]!, words[i * 2 + 1]!);
  }
}
