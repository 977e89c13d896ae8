import type { Labels } from '../../model/labels.ts';
import type { SampleBatch, SeriesRef } from '../../model/sample.ts';
import type { ByteWriter } from '../../util/bytes.ts';
import type { CommitLog } from '../head/appender.ts';
import { beginSeriesRecord, encodeSamples, encodeSeries, type LogRef } from './record.ts';
import type { WalWriter } from './writer.ts';

/** A series record is ended at this size, so that replay takes it in small steps. Series alone need no wholeness. */
const SERIES_RECORD_BYTES = 64 * 1024;

interface NewSeries {
  readonly ref: SeriesRef;
  readonly labels: Labels;
}

/**
 * Commits to log records: the new series, then one record with all samples, whole or absent after a crash. Keeps the
 * log's own reference of every series; the head's may be numbered anew at each start, the log's are never used twice.
 */
export class WalCommitLog implements CommitLog {
  readonly #writer: WalWriter;
  readonly #labelsOf: (ref: SeriesRef) => Labels;
  /** By head reference; 0 is a series that is not in the log. */
  #logRefs: Float64Array;
  #nextRef: LogRef;
  #rowRefs = new Float64Array(256);

  /** `logRefs` (by head reference) and `nextRef` come from replay; `labelsOf` serves series whose record was lost. */
  constructor(writer: WalWriter, labelsOf: (ref: SeriesRef) => Labels, logRefs: Float64Array, nextRef: LogRef) {
    this.#writer = writer;
    this.#labelsOf = labelsOf;
    this.#logRefs = logRefs;
    this.#nextRef = nextRef;
  }

  append(series: readonly NewSeries[], batch: SampleBatch): Promise<void> {
    const added: NewSeries[] = [];
    const encode = (out: ByteWriter, endRecord: () => void): void => {
      for (const { ref, labels } of series) this.#add(ref, labels, added);
      this.#resolveRows(batch, added);
      this.#encodeSeries(added, out, endRecord);
      if (batch.count === 0) return;
      encodeSamples(out, batch, this.#rowRefs);
      endRecord();
    };
    return this.#writer.append(encode, () => this.#forget(added));
  }

  /** Gives the series a log reference unless it has one. */
  #add(ref: SeriesRef, labels: Labels | undefined, added: NewSeries[]): LogRef {
    if (ref >= this.#logRefs.length) {
      const grown = new Float64Array(Math.max(ref + 1, this.#logRefs.length * 2));
      grown.set(this.#logRefs);
      this.#logRefs = grown;
    }
    if (this.#logRefs[ref] === 0) {
      this.#logRefs[ref] = this.#nextRef++;
      added.push({ ref, labels: labels ?? this.#labelsOf(ref) });
    }
    return this.#logRefs[ref]!;
  }

  #resolveRows(batch: SampleBatch, added: NewSeries[]): void {
    const { refs, count } = batch;
    if (this.#rowRefs.length < count) this.#rowRefs = new Float64Array(count * 2);
    const rowRefs = this.#rowRefs;
    let logRefs = this.#logRefs;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      let logRef = ref < logRefs.length ? logRefs[ref]! : 0;
      if (logRef === 0) {
        logRef = this.#add(ref, undefined, added);
        logRefs = this.#logRefs;
      }
      rowRefs[i] = logRef;
    }
  }

  #encodeSeries(added: readonly NewSeries[], out: ByteWriter, endRecord: () => void): void {
    if (added.length === 0) return;
    let start = out.length;
    beginSeriesRecord(out);
    for (const { ref, labels } of added) {
      if (out.length - start > SERIES_RECORD_BYTES) {
        endRecord();
        start = out.length;
        beginSeriesRecord(out);
      }
      encodeSeries(out, this.#logRefs[ref]!, labels);
    }
    endRecord();
  }

  /** The write failed: these series are logged again by the next commit that uses them. */
  #forget(added: readonly NewSeries[]): void {
    for (const { ref } of added) this.#logRefs[ref] = 0;
  }
}
