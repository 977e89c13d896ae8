// Scraping: from configured jobs to committed samples. One pool per job, one loop per target, everything on the thread
// that owns the head. A scrape's samples, its synthetic series and its staleness markers are one commit.
//   socket -> http-client.ts -> Body -> ingest.ts (series-cache.ts, format/text.ts) -> SampleBatch -> Appender
import type { Metadata } from '../model/metadata.ts';
import type { Appender } from '../model/storage.ts';
import { SampleBatch } from '../model/sample.ts';
import { formatDuration } from '../model/time.ts';
import type { Host } from '../util/host.ts';
import type { MetricRegistry } from '../util/metrics.ts';
import { Pool } from '../util/pool.ts';
import { Secret } from '../util/secret.ts';
import { Body } from './body.ts';
import type { ScrapeConfig, ScrapeGlobal } from './config.ts';
import type { Fetcher } from './fetcher.ts';
import type { LoopContext, TargetHealth } from './loop.ts';
import { ScrapePool } from './pool.ts';
import { ScrapeMetrics } from './scrape-metrics.ts';

export interface ScrapeOptions {
  /** `Narthex/<version>`. */
  readonly userAgent: string;
  /** Part of what spreads the scrapes inside their interval. */
  readonly hostName: string;
  /** The address of a target as others reach it. */
  readonly globalUrl?: (scrapeUrl: string) => string;
  /** Largest uncompressed body where a job sets no body_size_limit. */
  readonly bodyLimitBytes?: number;
}

/** Default of `bodyLimitBytes` (reliability O15). */
const BODY_LIMIT_BYTES_DEFAULT = 256 * 1024 * 1024;
/** Bodies and batches kept for reuse: about as many as are under way at once. */
const BUFFERS_KEPT_MAX = 16;
const BATCH_ROWS_KEPT_MAX = 64 * 1024;
const NEVER = '0001-01-01T00:00:00Z';

/** An active target in the shape of /api/v1/targets. */
export interface ActiveTarget {
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  /** RFC 3339. */
  readonly lastScrape: string;
  /** Seconds. */
  readonly lastScrapeDuration: number;
  readonly health: TargetHealth;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export interface DroppedTarget {
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
}

/** What one target says of its metric families. */
export interface TargetMetadata {
  readonly target: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly metadata: ReadonlyMap<string, Metadata>;
}

export class ScrapeManager {
  readonly #appender: Appender;
  readonly #host: Host;
  readonly #fetcher: Fetcher;
  readonly #metrics: ScrapeMetrics;
  readonly #options: ScrapeOptions;
  readonly #bodies = new Pool(
    () => new Body(),
    BUFFERS_KEPT_MAX,
    (body) => body.isWorthKeeping,
  );
  readonly #batches = new Pool(
    () => new SampleBatch(1024),
    BUFFERS_KEPT_MAX,
    (batch) => batch.refs.length <= BATCH_ROWS_KEPT_MAX,
  );
  readonly #pools = new Map<string, ScrapePool>();
  /** Pools of jobs that are gone, until the markers of their targets are written. */
  #retiring: ScrapePool[] = [];
  #isStopped = false;

  constructor(deps: {
    readonly appender: Appender;
    readonly host: Host;
    readonly fetcher: Fetcher;
    readonly metrics: MetricRegistry;
    readonly options: ScrapeOptions;
  }) {
    this.#appender = deps.appender;
    this.#host = deps.host;
    this.#fetcher = deps.fetcher;
    this.#metrics = new ScrapeMetrics(deps.metrics);
    this.#options = deps.options;
  }

  /**
   * Scrapes what the configuration says from now on. Targets that it leaves as they were keep their schedule and their
   * series; those it no longer has get staleness markers in time.
   */
  apply(config: { readonly global: ScrapeGlobal; readonly scrapeConfigs: readonly ScrapeConfig[] }): void {
    if (this.#isStopped) return;
    this.#retiring = this.#retiring.filter((pool) => !pool.isEmpty);
    const jobs = new Set(config.scrapeConfigs.map((job) => job.jobName));
    for (const [name, pool] of this.#pools) {
      if (jobs.has(name)) continue;
      this.#pools.delete(name);
      pool.retire();
      this.#retiring.push(pool);
    }
    const context = this.#context(config.global);
    for (const job of config.scrapeConfigs) {
      const known = this.#pools.get(job.jobName);
      if (known && isEqualConfig(known.config, job)) continue;
      const pool = known ?? this.#addPool(job, context);
      pool.apply(job, job.staticConfigs);
    }
  }

  #addPool(job: ScrapeConfig, context: LoopContext): ScrapePool {
    this.#metrics.pools.inc();
    const pool = new ScrapePool(job, context);
    this.#pools.set(job.jobName, pool);
    return pool;
  }

  #context(global: ScrapeGlobal): LoopContext {
    const external = JSON.stringify([...global.externalLabels]);
    return {
      appender: this.#appender,
      host: this.#host,
      fetcher: this.#fetcher,
      metrics: this.#metrics,
      bodies: this.#bodies,
      batches: this.#batches,
      userAgent: this.#options.userAgent,
      offsetSeed: `${this.#options.hostName}${external}`,
      bodyLimitBytes: this.#options.bodyLimitBytes ?? BODY_LIMIT_BYTES_DEFAULT,
    };
  }

  /** Names of the jobs, sorted. */
  scrapePools(): string[] {
    return [...this.#pools.keys()].toSorted();
  }

  /** Sorted by pool, then by address. */
  activeTargets(): ActiveTarget[] {
    return this.#sortedPools().flatMap((pool) =>
      pool.loops.map((loop): ActiveTarget => {
        const { target } = loop;
        return {
          discoveredLabels: target.discoveredLabels.toObject(),
          labels: target.labels.toObject(),
          scrapePool: pool.jobName,
          scrapeUrl: target.scrapeUrl,
          globalUrl: this.#options.globalUrl?.(target.scrapeUrl) ?? target.scrapeUrl,
          lastError: loop.lastError,
          lastScrape: loop.lastScrapeMs === 0 ? NEVER : new Date(loop.lastScrapeMs).toISOString(),
          lastScrapeDuration: loop.lastDurationSeconds,
          health: loop.health,
          scrapeInterval: formatDuration(target.intervalMs),
          scrapeTimeout: formatDuration(target.timeoutMs),
        };
      }),
    );
  }

  droppedTargets(): DroppedTarget[] {
    return this.#sortedPools().flatMap((pool) =>
      pool.dropped.map((labels) => ({ discoveredLabels: labels.toObject(), scrapePool: pool.jobName })),
    );
  }

  droppedTargetCounts(): Record<string, number> {
    return Object.fromEntries(this.#sortedPools().map((pool) => [pool.jobName, pool.droppedCount]));
  }

  /** Read from what the targets showed last: made when asked for, nothing is kept for it. */
  metadata(): TargetMetadata[] {
    return this.#sortedPools().flatMap((pool) =>
      pool.loops.map((loop) => ({
        target: loop.target.labels.toObject(),
        scrapePool: pool.jobName,
        metadata: loop.metadata(),
      })),
    );
  }

  /** Ends all scraping; what is under way is cut off. Writes no markers, so that a restart leaves no gap. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#pools.values(), ...this.#retiring].map((pool) => pool.stop()));
    this.#fetcher.close();
  }

  #sortedPools(): ScrapePool[] {
    return this.scrapePools().flatMap((name) => this.#pools.get(name) ?? []);
  }
}

/** Compared with secrets as they are, which printing would hide. */
function isEqualConfig(a: ScrapeConfig, b: ScrapeConfig): boolean {
  return configKey(a) === configKey(b);
}

function configKey(config: ScrapeConfig): string {
  return JSON.stringify(config, function (this: Record<string, unknown>, key: string, value: unknown) {
    const raw = this[key];
    if (raw instanceof Secret) return raw.reveal();
    return value instanceof Map ? [...(value as Map<string, unknown>)] : value;
  });
}
