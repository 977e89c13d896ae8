import { SampleBatch, type SeriesRef } from '../../model/sample.ts';
import type { CommitResult } from '../../model/storage.ts';
import type { Labels } from '../../model/labels.ts';
import { CodedError } from '../../util/errors.ts';
import type { Clock, Host } from '../../util/host.ts';
import {
  findCheckpoint,
  listSegments,
  readSegment,
  type RecordSink,
  type SegmentReport,
  type WalSegment,
} from '../wal/reader.ts';
import { greatestRef } from '../wal/record-refs.ts';
import {
  decodeSamples,
  decodeSamplesV2,
  RECORD,
  RecordDecoder,
  SampleRows,
  SeriesEntries,
  type LogRef,
} from '../wal/record.ts';

/** Replay holds the thread no longer than this before other work has its turn. */
const TURN_MS = 8;

/** What replay needs of the head: synchronous, and not logged again. */
export interface ReplayTarget {
  /** The series of these labels, created when new. Throws `limit` when the head takes no more. */
  replaySeries(labels: Labels): SeriesRef;
  replaySamples(batch: SampleBatch): CommitResult;
}

export interface ReplayProgress {
  /** Numbers of the first and last segment to read and of the one being read, as /api/v1/status/walreplay shows them. */
  readonly minSegment: number;
  readonly maxSegment: number;
  readonly currentSegment: number;
  readonly readBytes: number;
  readonly totalBytes: number;
}

/** Why rows or records were not used. */
interface ReplaySkips {
  /** Samples whose series record was lost. */
  unresolvedSampleCount: number;
  /** Samples the head refused: older than what it has, or of series beyond its limit. */
  rejectedSampleCount: number;
  /** Records of a kind the head does not hold yet (histograms, exemplars, metadata, tombstones), by type number. */
  readonly recordsByType: Map<number, number>;
}

export interface ReplayReport extends ReplaySkips {
  readonly segments: readonly SegmentReport[];
  readonly seriesCount: number;
  readonly sampleCount: number;
  readonly durationMs: number;
  /** The log's reference of each series, by head reference; 0 where it has none. */
  readonly logRefs: Float64Array;
  /** Greater than any reference in any record. */
  readonly nextRef: LogRef;
}

/**
 * Reads the newest checkpoint of `folder` and the segments after it into the head, in order. Damage costs the records it
 * touches and is reported (rules W1-W8); nothing on disk is changed. Yields to other work every few milliseconds; a
 * `signal` ends it there.
 */
export async function replayWal(
  folder: string,
  head: ReplayTarget,
  host: Host,
  onProgress: (progress: ReplayProgress) => void,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const started = host.clock.monotonicMs();
  const { checkpoint, segments } = await listForReplay(host, folder);
  const all = [...checkpoint, ...segments];
  let totalBytes = 0;
  for (const { path } of all) totalBytes += (await host.fs.stat(path))?.sizeBytes ?? 0;

  const replay = new WalReplay(head);
  const turns = new Turns(host.clock);
  const reports: SegmentReport[] = [];
  let readBytes = 0;
  for (const segment of all) {
    const progress = {
      minSegment: segments[0]?.index ?? 0,
      maxSegment: segments.at(-1)?.index ?? 0,
      currentSegment: checkpoint.includes(segment) ? (segments[0]?.index ?? 0) : segment.index,
      totalBytes,
    };
    onProgress({ ...progress, readBytes });
    const sink: RecordSink = {
      record: (bytes) => replay.record(bytes),
      pause(bytes) {
        signal.throwIfAborted();
        readBytes += bytes;
        if (!turns.isOver) return undefined;
        onProgress({ ...progress, readBytes });
        return turns.next();
      },
    };
    reports.push(await readSegment(host.fs, segment, sink));
  }
  return replay.report(reports, host.clock.monotonicMs() - started);
}

/** A check that a record can be decoded, or is of a kind that is passed over. One per pass over a log. */
export function createRecordCheck(): (record: Uint8Array) => boolean {
  const decoder = new RecordDecoder();
  const entries = new SeriesEntries();
  const rows = new SampleRows();
  return (record) => {
    if (record[0] === RECORD.series) return decoder.series(record, entries);
    if (record[0] === RECORD.samples) return decodeSamples(record, rows);
    if (record[0] === RECORD.samplesV2) return decodeSamplesV2(record, rows);
    return record.length > 0;
  };
}

/** Segments in the order to read them: those of the newest checkpoint, then those it does not cover. */
async function listForReplay(
  host: Host,
  folder: string,
): Promise<{ checkpoint: readonly WalSegment[]; segments: readonly WalSegment[] }> {
  const checkpoint = await findCheckpoint(host.fs, folder);
  const segments = await listSegments(host.fs, folder);
  if (!checkpoint) return { checkpoint: [], segments };
  return {
    checkpoint: await listSegments(host.fs, checkpoint.path),
    segments: segments.filter(({ index }) => index > checkpoint.index),
  };
}

/** Shares the thread: after TURN_MS the next turn is waited for. */
class Turns {
  readonly #clock: Clock;
  #started: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.monotonicMs();
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#started >= TURN_MS;
  }

  async next(): Promise<void> {
    await new Promise<void>((resolve) => void this.#clock.setTimer(resolve, 0));
    this.#started = this.#clock.monotonicMs();
  }
}

/** Applies records to the head, record by record: each is decoded whole before anything of it is used. */
class WalReplay {
  readonly #head: ReplayTarget;
  readonly #decoder = new RecordDecoder();
  readonly #entries = new SeriesEntries();
  readonly #rows = new SampleRows();
  readonly #batch = new SampleBatch();
  readonly #refs = new RefTable();
  #logRefs = new Float64Array(1024);
  #greatestRef = 0;
  #seriesCount = 0;
  #sampleCount = 0;
  readonly #skips: ReplaySkips = { unresolvedSampleCount: 0, rejectedSampleCount: 0, recordsByType: new Map() };

  constructor(head: ReplayTarget) {
    this.#head = head;
  }

  /** False when the record cannot be decoded. */
  record(bytes: Uint8Array): boolean {
    const type = bytes[0];
    if (type === undefined) return false;
    if (type === RECORD.series) return this.#decoder.series(bytes, this.#entries) && this.#applySeries();
    if (type === RECORD.samples) return decodeSamples(bytes, this.#rows) && this.#applySamples();
    if (type === RECORD.samplesV2) return decodeSamplesV2(bytes, this.#rows) && this.#applySamples();
    const { recordsByType } = this.#skips;
    recordsByType.set(type, (recordsByType.get(type) ?? 0) + 1);
    this.#greatestRef = Math.max(this.#greatestRef, greatestRef(bytes));
    return true;
  }

  report(segments: readonly SegmentReport[], durationMs: number): ReplayReport {
    return {
      ...this.#skips,
      segments,
      seriesCount: this.#seriesCount,
      sampleCount: this.#sampleCount,
      durationMs,
      logRefs: this.#logRefs,
      nextRef: this.#greatestRef + 1,
    };
  }

  #applySeries(): boolean {
    const { refs, labels } = this.#entries;
    for (let i = 0; i < refs.length; i++) {
      const logRef = refs[i]!;
      if (logRef > this.#greatestRef) this.#greatestRef = logRef;
      const headRef = this.#headRef(labels[i]!);
      const previous = this.#refs.get(logRef);
      // A reference that comes to mean another series must not be written for the first one again.
      if (previous !== 0 && previous !== headRef && this.#logRefs[previous] === logRef) this.#logRefs[previous] = 0;
      this.#refs.set(logRef, headRef);
      if (headRef === 0) continue;
      this.#reserve(headRef);
      if (this.#logRefs[headRef] !== 0) continue;
      this.#logRefs[headRef] = logRef;
      this.#seriesCount++;
    }
    return true;
  }

  /** 0 when the head takes no more series. */
  #headRef(labels: Labels): SeriesRef {
    try {
      return this.#head.replaySeries(labels);
    } catch (error) {
      if (error instanceof CodedError && error.code === 'limit') return 0;
      throw error;
    }
  }

  #reserve(headRef: SeriesRef): void {
    if (headRef < this.#logRefs.length) return;
    const grown = new Float64Array(Math.max(headRef + 1, this.#logRefs.length * 2));
    grown.set(this.#logRefs);
    this.#logRefs = grown;
  }

  #applySamples(): boolean {
    const { refs, times, words, count } = this.#rows;
    const table = this.#refs;
    const batch = this.#batch;
    batch.clear();
    let greatest = this.#greatestRef;
    for (let i = 0; i < count; i++) {
      const logRef = refs[i]!;
      if (logRef > greatest) greatest = logRef;
      const headRef = table.get(logRef);
      if (headRef !== 0) batch.appendWords(headRef, times[i]!, words[i * 2]!, words[i * 2 + 1]!);
    }
    this.#greatestRef = greatest;
    this.#skips.unresolvedSampleCount += count - batch.count;
    if (batch.count === 0) return true;
    const storedCount = this.#store(batch);
    this.#sampleCount += storedCount;
    this.#skips.rejectedSampleCount += batch.count - storedCount;
    return true;
  }

  /** Rows stored: none when the head's memory is full. */
  #store(batch: SampleBatch): number {
    try {
      return this.#head.replaySamples(batch).storedCount;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'limit') return 0;
      throw error;
    }
  }
}

const REFS_PER_PAGE = 256;

/** Log reference to head reference, 0 for none; in small pages, because logs of long-lived servers are sparse. */
class RefTable {
  readonly #pages = new Map<number, Uint32Array>();
  #lastNumber = -1;
  #lastPage: Uint32Array = new Uint32Array(REFS_PER_PAGE);

  get(logRef: LogRef): SeriesRef {
    const number = Math.floor(logRef / REFS_PER_PAGE);
    if (number !== this.#lastNumber) {
      const page = this.#pages.get(number);
      if (!page) return 0;
      this.#lastNumber = number;
      this.#lastPage = page;
    }
    return this.#lastPage[logRef - number * REFS_PER_PAGE]!;
  }

  set(logRef: LogRef, headRef: SeriesRef): void {
    const number = Math.floor(logRef / REFS_PER_PAGE);
    let page = this.#pages.get(number);
    if (!page) {
      page = new Uint32Array(REFS_PER_PAGE);
      this.#pages.set(number, page);
    }
    page[logRef - number * REFS_PER_PAGE] = headRef;
  }
}
