// One target's scrapes: on time, one at a time, each committed whole. Timing follows docs/scraping.md: cadence by the
// monotonic clock, timestamps by the wall clock, aligned where they are close enough to the schedule.
import { METRIC_NAME } from '../model/labels.ts';
import { compileRelabel, type RelabelRule } from '../model/relabel.ts';
import type { Metadata } from '../model/metadata.ts';
import { SampleBatch, type SeriesRef } from '../model/sample.ts';
import type { Appender, CommitResult } from '../model/storage.ts';
import { CodedError, errorText } from '../util/errors.ts';
import type { Host, TimerHandle } from '../util/host.ts';
import { md5Modulo } from '../util/md5.ts';
import type { Pool } from '../util/pool.ts';
import type { Body } from './body.ts';
import type { ScrapeConfig } from './config.ts';
import { FetchError, type Fetcher, type TargetClient } from './fetcher.ts';
import { checkContentType } from './format/negotiate.ts';
import { Ingest, type IngestRules } from './ingest.ts';
import { requestOf } from './request.ts';
import type { ScrapeMetrics } from './scrape-metrics.ts';
import type { Target } from './target.ts';

/** What all loops share. */
export interface LoopContext {
  readonly appender: Appender;
  readonly host: Host;
  readonly fetcher: Fetcher;
  readonly metrics: ScrapeMetrics;
  readonly bodies: Pool<Body>;
  readonly batches: Pool<SampleBatch>;
  readonly userAgent: string;
  /** Spreads scrapes; the same after a restart. */
  readonly offsetSeed: string;
  /** Where a config sets no body_size_limit. */
  readonly bodyLimitBytes: number;
}

export type TargetHealth = 'unknown' | 'up' | 'down';

/** Timestamps this close to the schedule are stored as the scheduled time, which compresses better. */
const ALIGN_TOLERANCE_MS = 2;
/** Lines handled between looks at the clock. */
const LINES_PER_LOOK = 512;
/** The main thread is given back after this much parsing. */
const SLICE_MS = 5;
/** Cached series references are not trusted after this long without a good scrape: the head may have dropped them. */
const CACHE_TRUST_MS = 20 * 60_000;

const SYNTHETIC = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
];
const SYNTHETIC_EXTRA = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'];

export class ScrapeLoop {
  health: TargetHealth = 'unknown';
  lastError = '';
  /** Wall clock ms; 0 before the first scrape. */
  lastScrapeMs = 0;
  lastDurationSeconds = 0;

  #target: Target;
  #config: ScrapeConfig;
  readonly #context: LoopContext;
  readonly #ingest: Ingest;
  #rules: IngestRules;
  #client: TargetClient | undefined;
  #synthetic: SeriesRef[] = [];
  #timer: TimerHandle | undefined;
  #underWay: Promise<void> | undefined;
  #nextMonotonicMs = 0;
  #alignedMs = 0;
  #lastGoodMonotonicMs = 0;
  /** No further scrape. */
  #isStopped = false;
  /** Nor may the one under way store anything: the server stops. */
  #isAborted = false;
  /** Fails every scrape while it is set (target_limit). */
  #forcedError: string | undefined;

  constructor(target: Target, config: ScrapeConfig, context: LoopContext) {
    this.#target = target;
    this.#config = config;
    this.#context = context;
    this.#rules = ingestRules(target, config);
    this.#ingest = new Ingest(this.#rules, Math.floor(context.host.random.next() * 2 ** 32));
  }

  get target(): Target {
    return this.#target;
  }

  set forcedError(text: string | undefined) {
    this.#forcedError = text;
  }

  start(): void {
    const { clock } = this.#context.host;
    const { intervalMs, key } = this.#target;
    const offsetMs = Number(md5Modulo(`${this.#context.offsetSeed}\n${key}`, BigInt(intervalMs)));
    const nowMs = clock.nowMs();
    const delayMs = (((offsetMs - nowMs) % intervalMs) + intervalMs) % intervalMs;
    this.#nextMonotonicMs = clock.monotonicMs() + delayMs;
    this.#alignedMs = nowMs + delayMs;
    this.#schedule();
  }

  /** Goes on under another configuration: same schedule unless the interval changed, no gap, no markers. */
  replace(target: Target, config: ScrapeConfig): void {
    const rules = ingestRules(target, config);
    const apply = () => {
      const before = this.#target;
      const rulesChanged = JSON.stringify(plainRules(rules)) !== JSON.stringify(plainRules(this.#rules));
      this.#target = target;
      this.#config = config;
      this.#client?.close();
      this.#client = undefined;
      if (rulesChanged) {
        this.#rules = rules;
        this.#ingest.replaceRules(rules);
      }
      if (this.#isStopped || before.intervalMs === target.intervalMs) return;
      this.#timer?.cancel();
      this.start();
    };
    if (this.#underWay) void this.#underWay.then(apply);
    else apply();
  }

  metadata(): Map<string, Metadata> {
    return this.#ingest.metadata();
  }

  /** No further scrape; resolves when the one under way has ended. No markers: the server stops. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isAborted = true;
    this.#timer?.cancel();
    this.#client?.close();
    await this.#underWay;
  }

  /**
   * The target is gone: no further scrape. After the first missed scrape, another interval and a tenth of one, every
   * series gets a marker at the time of that first missed scrape, so that a target that comes back is not hurt.
   */
  async retire(onDone: () => void): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#underWay;
    this.#client?.close();
    const { clock } = this.#context.host;
    const { intervalMs } = this.#target;
    const missedMs = this.#alignedMs;
    const delayMs = Math.max(0, this.#nextMonotonicMs - clock.monotonicMs()) + intervalMs * 1.1;
    this.#timer = clock.setTimer(() => {
      this.#underWay = this.#commitEnd(missedMs).finally(onDone);
    }, delayMs);
  }

  async #commitEnd(timeMs: number): Promise<void> {
    const batch = new SampleBatch();
    for (const ref of new Set([...this.#ingest.liveRefs(), ...this.#synthetic])) batch.appendStale(ref, timeMs);
    if (batch.count === 0) return;
    try {
      await this.#context.appender.commit(batch);
    } catch (error) {
      const facts = { target: this.#target.scrapeUrl, err: errorText(error) };
      this.#context.host.log.warn(facts, 'staleness markers of a removed target were not stored');
    }
  }

  #schedule(): void {
    const { clock } = this.#context.host;
    const delayMs = Math.max(0, this.#nextMonotonicMs - clock.monotonicMs());
    this.#timer = clock.setTimer(() => this.#tick(), delayMs);
  }

  #tick(): void {
    const { clock } = this.#context.host;
    const lateMs = clock.monotonicMs() - this.#nextMonotonicMs;
    this.#context.metrics.late.observe(Math.max(0, lateMs) / 1000);
    const timeMs = this.#timestamp(lateMs);
    this.#underWay = this.#scrape(timeMs).finally(() => {
      this.#underWay = undefined;
      this.#advance();
      if (!this.#isStopped) this.#schedule();
    });
  }

  /** To the next scheduled time that is not past. */
  #advance(): void {
    const { intervalMs } = this.#target;
    const behindMs = this.#context.host.clock.monotonicMs() - this.#nextMonotonicMs;
    const steps = Math.max(1, Math.ceil(behindMs / intervalMs));
    if (steps > 1) this.#context.metrics.missed.inc(steps - 1);
    this.#nextMonotonicMs += steps * intervalMs;
    this.#alignedMs += steps * intervalMs;
  }

  /** The wall clock, or the scheduled time where they are close. A wall clock that jumped sets the schedule's anew. */
  #timestamp(lateMs: number): number {
    const nowMs = this.#context.host.clock.nowMs();
    const tolerance = Math.min(ALIGN_TOLERANCE_MS, this.#target.intervalMs / 100);
    const offMs = nowMs - this.#alignedMs;
    if (Math.abs(offMs) <= tolerance) return this.#alignedMs;
    // On time by the monotonic clock, or a whole interval off: it is the wall clock that moved.
    if (lateMs <= tolerance || Math.abs(offMs) >= this.#target.intervalMs) this.#alignedMs = nowMs;
    return nowMs;
  }

  async #scrape(timeMs: number): Promise<void> {
    const { clock, log } = this.#context.host;
    const { bodies, batches, appender } = this.#context;
    const startMs = clock.monotonicMs();
    const body = bodies.take();
    // Taken when the body is there: of the scrapes that wait for their targets none needs one.
    let batch: SampleBatch | undefined;
    let failure: unknown;
    try {
      await this.#fetch(body);
      batch = batches.take();
      batch.clear();
      await this.#parse(body, batch, timeMs);
      this.#lastGoodMonotonicMs = startMs;
    } catch (error) {
      if (this.#isAborted) return;
      failure = error;
      batch ??= batches.take();
      this.#ingest.fail(batch, timeMs);
      this.#countFailure(error);
    }
    const durationSeconds = (clock.monotonicMs() - startMs) / 1000;
    try {
      this.#appendSynthetic(batch, timeMs, failure, { durationSeconds, bodyBytes: body.length });
      const committed = appender.commit(batch);
      bodies.give(body);
      batches.give(batch);
      this.#countResult(await committed);
    } catch (error) {
      failure ??= error;
      log.error({ target: this.#target.scrapeUrl, err: errorText(error) }, 'scrape was not stored');
    }
    this.lastScrapeMs = timeMs;
    this.lastDurationSeconds = durationSeconds;
    const text = failure === undefined ? '' : errorText(failure);
    if (text !== '' && text !== this.lastError)
      log.warn({ target: this.#target.scrapeUrl, err: text }, 'scrape failed');
    this.lastError = text;
    this.health = failure === undefined ? 'up' : 'down';
  }

  async #fetch(body: Body): Promise<void> {
    body.clear();
    if (this.#forcedError !== undefined) throw new CodedError('limit', this.#forcedError);
    this.#client ??= this.#context.fetcher.connect(requestOf(this.#target, this.#config, this.#context));
    const { contentType } = await this.#client.fetch(body);
    if (this.#isAborted) throw new CodedError('canceled', 'scrape stopped');
    if (body.length > 0) checkContentType(contentType, this.#config.fallbackScrapeProtocol);
    body.seal();
  }

  async #parse(body: Body, batch: SampleBatch, timeMs: number): Promise<void> {
    const { appender, host } = this.#context;
    const startMs = host.clock.monotonicMs();
    if (startMs - this.#lastGoodMonotonicMs > CACHE_TRUST_MS) this.#ingest.forget();
    this.#ingest.begin(body, batch, timeMs);
    await this.#inSlices(() => this.#ingest.run(LINES_PER_LOOK));
    await this.#inSlices(() => this.#ingest.createSeries(appender, LINES_PER_LOOK));
    if (this.#isAborted) throw new CodedError('canceled', 'scrape stopped');
    this.#ingest.finish(appender);
  }

  /** Calls `step` until it returns true, and gives the thread back every few milliseconds. */
  async #inSlices(step: () => boolean): Promise<void> {
    const { clock } = this.#context.host;
    let sliceEndMs = clock.monotonicMs() + SLICE_MS;
    while (!step()) {
      if (clock.monotonicMs() < sliceEndMs) continue;
      await new Promise<void>((resolve) => void clock.setTimer(resolve, 0));
      sliceEndMs = clock.monotonicMs() + SLICE_MS;
    }
  }

  #appendSynthetic(
    batch: SampleBatch,
    timeMs: number,
    failure: unknown,
    facts: { durationSeconds: number; bodyBytes: number },
  ): void {
    const ingest = this.#ingest;
    const values = [
      failure === undefined ? 1 : 0,
      facts.durationSeconds,
      ingest.scrapedCount,
      ingest.addedCount,
      ingest.newSeriesCount,
    ];
    let names = SYNTHETIC;
    if (this.#config.extraScrapeMetrics) {
      names = [...SYNTHETIC, ...SYNTHETIC_EXTRA];
      const isTooLarge = failure instanceof FetchError && failure.isBodyLimit;
      // The body was sealed with a newline of ours.
      const bodyBytes = failure === undefined ? facts.bodyBytes - 1 : isTooLarge ? -1 : 0;
      values.push(this.#target.timeoutMs / 1000, this.#config.sampleLimit, bodyBytes);
    }
    for (let i = this.#synthetic.length; i < names.length; i++) {
      this.#synthetic.push(this.#context.appender.seriesRef(this.#target.labels.with(METRIC_NAME, names[i]!)));
    }
    for (let i = 0; i < names.length; i++) batch.append(this.#synthetic[i]!, timeMs, values[i]!);
  }

  #countFailure(error: unknown): void {
    const { metrics } = this.#context;
    if (error instanceof FetchError && error.isBodyLimit) metrics.bodyLimit.inc();
    else if (errorText(error) === 'sample limit exceeded') metrics.sampleLimit.inc();
  }

  #countResult(result: CommitResult): void {
    const { metrics, host } = this.#context;
    const duplicates = result.duplicateCount + this.#ingest.duplicateCount;
    const outOfBounds = result.outOfBoundsCount + this.#ingest.outOfBoundsCount;
    const outOfOrder = result.outOfOrderCount;
    if (duplicates + outOfBounds + outOfOrder === 0) return;
    metrics.duplicates.inc(duplicates);
    metrics.outOfBounds.inc(outOfBounds);
    metrics.outOfOrder.inc(outOfOrder);
    const facts = { target: this.#target.scrapeUrl, duplicates, outOfBounds, outOfOrder, first: result.firstError };
    host.log.warn(facts, 'scrape had samples that were not stored');
  }
}

function ingestRules(target: Target, config: ScrapeConfig): IngestRules {
  return {
    targetLabels: target.labels,
    honorLabels: config.honorLabels,
    honorTimestamps: config.honorTimestamps,
    trackTimestampsStaleness: config.trackTimestampsStaleness,
    metricRelabel: config.metricRelabel.map((rule): RelabelRule => compileRelabel(rule, config.nameValidation)),
    nameValidation: config.nameValidation,
    sampleLimit: config.sampleLimit,
    labelLimit: config.labelLimit,
    labelNameLengthLimit: config.labelNameLengthLimit,
    labelValueLengthLimit: config.labelValueLengthLimit,
  };
}

/** Rules as data, to see whether they changed. */
function plainRules(rules: IngestRules): unknown {
  return {
    ...rules,
    targetLabels: rules.targetLabels.flat,
    metricRelabel: rules.metricRelabel.map((rule) => rule.config),
  };
}
