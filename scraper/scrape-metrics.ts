import type { Counter, Histogram, MetricRegistry } from '../util/metrics.ts';

const LATE_BOUNDS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** The scraper's own metrics, under Prometheus' names where it has the same thing. */
export class ScrapeMetrics {
  readonly pools: Counter;
  readonly poolTargets: Counter;
  readonly poolSyncs: Counter;
  readonly sampleLimit: Counter;
  readonly targetLimit: Counter;
  readonly bodyLimit: Counter;
  readonly duplicates: Counter;
  readonly outOfOrder: Counter;
  readonly outOfBounds: Counter;
  readonly missed: Counter;
  readonly late: Histogram;

  constructor(registry: MetricRegistry) {
    const exceeded = 'prometheus_target_scrapes_exceeded';
    const samples = 'prometheus_target_scrapes_sample';
    this.pools = registry.counter(
      'prometheus_target_scrape_pools_total',
      'Total number of scrape pool creation attempts.',
    );
    this.poolTargets = registry.gauge(
      'prometheus_target_scrape_pool_targets',
      'Current number of targets in this scrape pool.',
      ['scrape_job'],
    );
    this.poolSyncs = registry.counter(
      'prometheus_target_scrape_pool_sync_total',
      'Total number of syncs that were executed on a scrape pool.',
      ['scrape_job'],
    );
    this.sampleLimit = registry.counter(
      `${exceeded}_sample_limit_total`,
      'Total number of scrapes that hit the sample limit and were rejected.',
    );
    this.targetLimit = registry.counter(
      'prometheus_target_scrape_pool_exceeded_target_limit_total',
      'Total number of times scrape pools hit the target limit, during sync or config reload.',
    );
    this.bodyLimit = registry.counter(
      `${exceeded}_body_size_limit_total`,
      'Total number of scrapes that hit the body size limit',
    );
    this.duplicates = registry.counter(
      `${samples}_duplicate_timestamp_total`,
      'Total number of samples rejected due to duplicate timestamps but different values.',
    );
    this.outOfOrder = registry.counter(
      `${samples}_out_of_order_total`,
      'Total number of samples rejected due to not being out of the expected order.',
    );
    this.outOfBounds = registry.counter(
      `${samples}_out_of_bounds_total`,
      'Total number of samples rejected due to timestamp falling outside of the time bounds.',
    );
    this.missed = registry.counter(
      'scrape_missed_total',
      'Scheduled scrapes that did not start because the one before was still under way.',
    );
    this.late = registry.histogram(
      'scrape_late_seconds',
      'How long after its scheduled time a scrape started.',
      LATE_BOUNDS_SECONDS,
    );
  }
}
