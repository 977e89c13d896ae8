import type { Labels } from '../../model/labels.ts';
import type { SampleBatch, SeriesRef } from '../../model/sample.ts';

/** Where commits are made durable before they are published: the write-ahead log. */
export interface CommitLog {
  /**
   * Logs the new series and the samples. Everything is encoded before it returns, so the arguments may be reused then.
   * Resolves when it is written as far as the fsync policy asks; rejects with the disk's error. Calls are logged in order.
   */
  append(series: readonly { readonly ref: SeriesRef; readonly labels: Labels }[], batch: SampleBatch): Promise<void>;
}
