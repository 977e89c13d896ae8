// A naive head for tests of the log, and commits whose every sample can be recognised.
import type { ReplayReport, ReplayTarget } from '../../tsdb/head/replay.ts';
import { replayWal } from '../../tsdb/head/replay.ts';
import { WalCommitLog } from '../../tsdb/wal/commit-log.ts';
import type { WalObserver, WalWriterOptions } from '../../tsdb/wal/writer.ts';
import { WalWriter } from '../../tsdb/wal/writer.ts';
import { Labels } from '../../model/labels.ts';
import { SampleBatch, type SeriesRef } from '../../model/sample.ts';
import type { CommitResult } from '../../model/storage.ts';
import type { Host } from '../../util/host.ts';

/** Series and samples in maps; the first value of a timestamp stays. */
export class ModelHead implements ReplayTarget {
  readonly labels: Labels[] = [Labels.EMPTY];
  readonly samples: Map<number, string>[] = [new Map()];
  readonly #refs = new Map<string, SeriesRef>();

  replaySeries(labels: Labels): SeriesRef {
    const key = labels.key();
    let ref = this.#refs.get(key);
    if (ref === undefined) {
      ref = this.labels.push(labels) - 1;
      this.samples.push(new Map());
      this.#refs.set(key, ref);
    }
    return ref;
  }

  replaySamples(batch: SampleBatch): CommitResult {
    let storedCount = 0;
    for (let i = 0; i < batch.count; i++) {
      const samples = this.samples[batch.refs[i]!]!;
      const time = batch.times[i]!;
      if (samples.has(time)) continue;
      samples.set(time, wordsText(batch.words[i * 2]!, batch.words[i * 2 + 1]!));
      storedCount++;
    }
    return { storedCount, outOfOrderCount: 0, duplicateCount: 0, outOfBoundsCount: 0, firstError: undefined };
  }

  /** `labels time words` of every sample, sorted. */
  lines(): string[] {
    const lines: string[] = [];
    for (const [ref, samples] of this.samples.entries()) {
      for (const [time, words] of samples) lines.push(`${this.labels[ref]!.toString()} ${time} ${words}`);
    }
    return lines.sort();
  }
}

export function wordsText(hi: number, lo: number): string {
  return `${(hi >>> 0).toString(16).padStart(8, '0')}${(lo >>> 0).toString(16).padStart(8, '0')}`;
}

const NO_OBSERVER: WalObserver = {
  written: () => undefined,
  synced: () => undefined,
  syncFailed: () => undefined,
  writeFailed: () => undefined,
  segmentStarted: () => undefined,
};

export function walOptions(options: Partial<WalWriterOptions> = {}): WalWriterOptions {
  return {
    folder: 'data/wal',
    firstSegment: 0,
    segmentBytes: 128 * 1024,
    compression: 'snappy',
    fsync: 'interval',
    fsyncIntervalMs: 1000,
    ...options,
  };
}

/** A log, and commits to it: `commit(n)` writes one sample of each of `seriesCount` series, told apart by n. */
export class LogFixture {
  readonly writer: WalWriter;
  readonly log: WalCommitLog;
  readonly head: ModelHead;
  readonly #seriesCount: number;

  constructor(host: Host, options: WalWriterOptions, seriesCount = 5, report?: ReplayReport, head = new ModelHead()) {
    this.head = head;
    this.writer = new WalWriter(options, host, NO_OBSERVER);
    this.#seriesCount = seriesCount;
    const logRefs = report?.logRefs ?? new Float64Array(4);
    this.log = new WalCommitLog(this.writer, (ref) => this.head.labels[ref]!, logRefs, report?.nextRef ?? 1);
  }

  commit(n: number): Promise<void> {
    const batch = new SampleBatch();
    const series: { ref: SeriesRef; labels: Labels }[] = [];
    for (let i = 0; i < this.#seriesCount; i++) {
      const labels = seriesLabels(i, n);
      const known = this.head.labels.length;
      const ref = this.head.replaySeries(labels);
      if (ref === known) series.push({ ref, labels });
      batch.append(ref, 1_000_000 + n * 1000, n + i / 8);
    }
    return this.log.append(series, batch);
  }
}

/** The last series of a commit is new every ten commits. */
function seriesLabels(i: number, n: number): Labels {
  const churn = i === 4 ? `pod-${Math.floor(n / 10)}` : 'steady';
  return Labels.fromObject({ __name__: 'requests_total', instance: `10.0.0.${i}:9100`, job: 'é-job', churn });
}

/** The lines ModelHead gives when exactly these commits are there. */
export function expectedLines(commits: readonly number[], seriesCount = 5): string[] {
  const head = new ModelHead();
  const batch = new SampleBatch();
  for (const n of commits) {
    batch.clear();
    for (let i = 0; i < seriesCount; i++) {
      batch.append(head.replaySeries(seriesLabels(i, n)), 1_000_000 + n * 1000, n + i / 8);
    }
    head.replaySamples(batch);
  }
  return head.lines();
}

export async function replayInto(head: ReplayTarget, host: Host, folder = 'data/wal'): Promise<ReplayReport> {
  return replayWal(folder, head, host, () => undefined, new AbortController().signal);
}
