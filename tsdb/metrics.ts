import type { CommitResult } from '../model/storage.ts';
import type { Counter, Histogram, MetricRegistry } from '../util/metrics.ts';
import type { ReplayReport } from './head/replay.ts';
import type { WalObserver } from './wal/writer.ts';

const FSYNC_BOUNDS = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** What the database says of itself when metrics are written. */
export interface TsdbGauges {
  readonly seriesCount: number;
  /** Series ever made since the start. */
  readonly createdSeriesCount: number;
  readonly chunkCount: number;
  /** ms; undefined when there are no samples. */
  readonly minTime: number | undefined;
  readonly maxTime: number | undefined;
  readonly walBytes: number;
  readonly readOnlyReason: string | undefined;
  readonly maxHeadSeries: number;
}

/** The metrics of the database: Prometheus' names where it has the same thing, ours of spec/reliability.md section 9. */
export class TsdbMetrics implements WalObserver {
  readonly #samplesAppended: Counter;
  readonly #outOfOrder: Counter;
  readonly #outOfBounds: Counter;
  readonly #fsyncSeconds: Histogram;
  readonly #fsyncFailures: Counter;
  readonly #writesFailed: Counter;
  readonly #bytesWritten: Counter;
  readonly #segmentCurrent: Counter;
  readonly #corruptions: Counter;
  readonly #skippedRecords: Counter;
  readonly #unresolved: Counter;
  readonly #unknownRefs: Counter;
  readonly #quarantined: Counter;
  readonly #replaySeconds: Counter;

  constructor(registry: MetricRegistry, gauges: () => TsdbGauges) {
    this.#samplesAppended = registry.counter(
      'prometheus_tsdb_head_samples_appended_total',
      'Total number of appended samples.',
      ['type'],
    );
    this.#outOfOrder = registry.counter(
      'prometheus_tsdb_out_of_order_samples_total',
      'Total number of out of order samples ingestion failed attempts.',
      ['type'],
    );
    this.#outOfBounds = registry.counter(
      'prometheus_tsdb_out_of_bound_samples_total',
      'Total number of out of bound samples ingestion failed attempts.',
      ['type'],
    );
    for (const counter of [this.#samplesAppended, this.#outOfOrder, this.#outOfBounds]) counter.inc(0, 'float');
    this.#fsyncSeconds = registry.histogram(
      'prometheus_tsdb_wal_fsync_duration_seconds',
      'Duration of write log fsync.',
      FSYNC_BOUNDS,
    );
    this.#fsyncFailures = registry.counter(
      'tsdb_wal_fsync_failures_total',
      'Fsyncs of the write-ahead log that failed; each ended its segment.',
    );
    this.#writesFailed = registry.counter(
      'prometheus_tsdb_wal_writes_failed_total',
      'Total number of write log writes that failed.',
    );
    this.#bytesWritten = registry.counter(
      'prometheus_tsdb_wal_record_parts_bytes_written_total',
      'Total number of record part bytes written, including CRC and record headers.',
    );
    this.#segmentCurrent = registry.gauge(
      'prometheus_tsdb_wal_segment_current',
      'Write log segment index that TSDB is currently writing to.',
    );
    this.#corruptions = registry.counter('prometheus_tsdb_wal_corruptions_total', 'Total number of WAL corruptions.');
    this.#skippedRecords = registry.counter(
      'tsdb_wal_records_skipped_total',
      'Places of the write-ahead log that replay could not use, by reason.',
      ['reason'],
    );
    this.#unresolved = registry.counter(
      'tsdb_wal_samples_unresolved_total',
      'Samples of the write-ahead log whose series record was lost.',
    );
    this.#unknownRefs = registry.counter(
      'prometheus_tsdb_wal_replay_unknown_refs_total',
      'Total number of unknown series references encountered during WAL replay.',
      ['type'],
    );
    this.#quarantined = registry.counter(
      'tsdb_quarantined_total',
      'Damaged files of which a copy was put into the quarantine folder, by kind.',
      ['kind'],
    );
    this.#replaySeconds = registry.gauge(
      'prometheus_tsdb_data_replay_duration_seconds',
      'Time taken to replay the data on disk.',
    );
    registerGauges(registry, gauges);
  }

  committed(result: CommitResult): void {
    this.#samplesAppended.inc(result.storedCount, 'float');
    if (result.outOfOrderCount > 0) this.#outOfOrder.inc(result.outOfOrderCount, 'float');
    if (result.outOfBoundsCount > 0) this.#outOfBounds.inc(result.outOfBoundsCount, 'float');
  }

  replayed(report: ReplayReport, quarantinedCount: number): void {
    this.#replaySeconds.set(report.durationMs / 1000);
    this.#unresolved.inc(report.unresolvedSampleCount);
    this.#unknownRefs.inc(report.unresolvedSampleCount, 'samples');
    if (quarantinedCount > 0) this.#quarantined.inc(quarantinedCount, 'wal');
    for (const { damages, damageCount } of report.segments) {
      this.#corruptions.inc(damageCount);
      for (const { kind } of damages) this.#skippedRecords.inc(1, kind);
      if (damageCount > damages.length) this.#skippedRecords.inc(damageCount - damages.length, 'other');
    }
    for (const [type, count] of report.recordsByType) this.#skippedRecords.inc(count, `type_${type}`);
  }

  written(bytes: number): void {
    this.#bytesWritten.inc(bytes);
  }

  /** Since the start. */
  get writtenBytes(): number {
    return this.#bytesWritten.value();
  }

  synced(seconds: number): void {
    this.#fsyncSeconds.observe(seconds);
  }

  syncFailed(): void {
    this.#fsyncFailures.inc();
  }

  writeFailed(): void {
    this.#writesFailed.inc();
  }

  segmentStarted(index: number): void {
    this.#segmentCurrent.set(index);
  }
}

function registerGauges(registry: MetricRegistry, gauges: () => TsdbGauges): void {
  const gauge = (name: string, help: string, read: (gauges: TsdbGauges) => number): void =>
    registry.read(name, 'gauge', help, () => read(gauges()));
  gauge('prometheus_tsdb_head_series', 'Total number of series in the head block.', (g) => g.seriesCount);
  registry.read(
    'prometheus_tsdb_head_series_created_total',
    'counter',
    'Total number of series created in the head',
    () => gauges().createdSeriesCount,
  );
  gauge(
    'prometheus_tsdb_head_min_time',
    'Minimum time bound of the head block. The unit is decided by the library consumer.',
    (g) => g.minTime ?? 0,
  );
  gauge(
    'prometheus_tsdb_head_max_time',
    'Maximum timestamp of the head block. The unit is decided by the library consumer.',
    (g) => g.maxTime ?? 0,
  );
  gauge(
    'prometheus_tsdb_head_min_time_seconds',
    'Minimum time bound of the head block.',
    (g) => (g.minTime ?? 0) / 1000,
  );
  gauge(
    'prometheus_tsdb_head_max_time_seconds',
    'Maximum timestamp of the head block.',
    (g) => (g.maxTime ?? 0) / 1000,
  );
  gauge(
    'prometheus_tsdb_lowest_timestamp_seconds',
    'Lowest timestamp value stored in the database.',
    (g) => (g.minTime ?? 0) / 1000,
  );
  gauge('prometheus_tsdb_head_chunks', 'Total number of chunks in the head block.', (g) => g.chunkCount);
  gauge('prometheus_tsdb_wal_storage_size_bytes', 'Size of the write log directory.', (g) => g.walBytes);
  gauge('tsdb_read_only', '1 while no samples are accepted.', (g) => (g.readOnlyReason === undefined ? 0 : 1));
  gauge('tsdb_head_series_limit', 'Most series the head takes; 0 is no limit.', (g) => g.maxHeadSeries);
}
