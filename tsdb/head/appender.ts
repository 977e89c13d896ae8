// hot path. From a batch to visible samples: admission in the caller's turn, the log, then publication in the order of
// admission. Rules: docs/ARCHITECTURE.md (publication), T1 of the reliability page.
import { SampleBatch, type SeriesRef } from '../../model/sample.ts';
import type { CommitResult } from '../../model/storage.ts';
import type { Labels } from '../../model/labels.ts';
import { assert } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';
import { formatFloatG } from '../../util/decimal.ts';
import { wordsToNumber } from '../../util/float-bits.ts';
import type { ChunkMemory } from './chunk-memory.ts';
import { APPEND_WORDS, RECORD, type SeriesChunks } from './series.ts';
import { CONTROL, UNDO_ENTRIES, type HeadTables } from './tables.ts';

/** Where commits are made durable before they are published: the write-ahead log. */
export interface CommitLog {
  /**
   * Logs the new series and the samples. Everything is encoded before it returns, so the arguments may be reused then.
   * Resolves when it is written as far as the fsync policy asks; rejects with the disk's error. Calls are logged in order.
   */
  append(series: readonly { readonly ref: SeriesRef; readonly labels: Labels }[], batch: SampleBatch): Promise<void>;
}

/** Undo entries written before their publish words are stored; a small part of the ring, so that readers keep up. */
const PUBLISH_ROWS = 1 << 16;

/** Admitted rows on their way, and what to tell of the others. */
export class Commit {
  readonly rows: SampleBatch;
  storedCount = 0;
  outOfOrderCount = 0;
  duplicateCount = 0;
  outOfBoundsCount = 0;
  firstError: string | undefined;

  constructor(rows: SampleBatch) {
    this.rows = rows;
  }

  result(): CommitResult {
    const { storedCount, outOfOrderCount, duplicateCount, outOfBoundsCount, firstError } = this;
    return { storedCount, outOfOrderCount, duplicateCount, outOfBoundsCount, firstError };
  }
}

/** Decides row by row what a series may take, and remembers it before it is logged. */
export class Admission {
  readonly #tables: HeadTables;
  readonly #labelsOf: (ref: SeriesRef) => Labels;

  constructor(tables: HeadTables, labelsOf: (ref: SeriesRef) => Labels) {
    this.#tables = tables;
    this.#labelsOf = labelsOf;
  }

  /** Copies what is admitted of `batch` into `rows`; samples before `minTime` are out of bounds. */
  admit(batch: SampleBatch, minTime: number, rows: SampleBatch): Commit {
    const commit = new Commit(rows);
    rows.clear();
    rows.reserve(batch.count);
    const seriesCount = this.#tables.control.i32[CONTROL.seriesCount]!;
    const { i32: words, f64: doubles } = this.#tables.append;
    const { refs, times, words: values, count } = batch;
    const { refs: toRefs, times: toTimes, words: toValues } = rows;
    let row = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      if (ref === 0 || ref > seriesCount) assert(false, `series ref ${ref} is unknown (${seriesCount} series)`);
      const time = times[i]!;
      const hi = values[i * 2]!;
      const lo = values[i * 2 + 1]!;
      const record = ref * APPEND_WORDS;
      if (time < minTime) {
        commit.outOfBoundsCount++;
        this.#refuse(commit, ref, 'out of bounds');
        continue;
      }
      const hasSamples = words[record + RECORD.admittedCount] !== 0;
      if (hasSamples && !(time > doubles[(record + RECORD.admittedTime) >> 1]!)) {
        this.#refuseOrder(commit, ref, time, [hi, lo]);
        continue;
      }
      words[record + RECORD.admittedCount] = 1;
      doubles[(record + RECORD.admittedTime) >> 1] = time;
      words[record + RECORD.admittedHi] = hi;
      words[record + RECORD.admittedLo] = lo;
      toRefs[row] = ref;
      toTimes[row] = time;
      toValues[row * 2] = hi;
      toValues[row * 2 + 1] = lo;
      row++;
    }
    rows.count = row;
    commit.storedCount += row;
    return commit;
  }

  /** The rows will not be published: their series are again where their last published sample is. */
  withdraw(rows: SampleBatch): void {
    const { i32: words, f64: doubles } = this.#tables.append;
    for (let i = 0; i < rows.count; i++) {
      const ref = rows.refs[i]!;
      const record = ref * APPEND_WORDS;
      words[record + RECORD.admittedCount] = this.#tables.publish.i32[ref] === 0 ? 0 : 1;
      doubles[(record + RECORD.admittedTime) >> 1] = doubles[record >> 1]!;
      words[record + RECORD.admittedHi] = words[record + RECORD.hi]!;
      words[record + RECORD.admittedLo] = words[record + RECORD.lo]!;
    }
  }

  /** Not newer than the series' newest sample: the same again, a contradiction, or too late. */
  #refuseOrder(commit: Commit, ref: SeriesRef, time: number, [hi, lo]: readonly [number, number]): void {
    const { i32: words, f64: doubles } = this.#tables.append;
    const record = ref * APPEND_WORDS;
    if (time !== doubles[(record + RECORD.admittedTime) >> 1]) {
      commit.outOfOrderCount++;
      return this.#refuse(commit, ref, 'out of order sample');
    }
    const [oldHi, oldLo] = [words[record + RECORD.admittedHi]!, words[record + RECORD.admittedLo]!];
    if (oldHi === hi && oldLo === lo) {
      commit.storedCount++;
      return;
    }
    commit.duplicateCount++;
    if (commit.firstError !== undefined) return;
    const [existing, value] = [wordsToNumber(oldHi, oldLo), wordsToNumber(hi, lo)].map(formatFloatG);
    const text = `duplicate sample for timestamp ${time}; overrides not allowed: existing ${existing}, new value ${value}`;
    this.#refuse(commit, ref, text);
  }

  #refuse(commit: Commit, ref: SeriesRef, text: string): void {
    commit.firstError ??= `${text} for series ${this.#labelsOf(ref).toString()}`;
  }
}

/** Makes rows visible at once: chunks first, then undo entries, publish words, and the committed position (rule 3). */
export class Publisher {
  readonly #tables: HeadTables;
  readonly #chunks: SeriesChunks;
  #words = new Int32Array(1024);
  #minTime = Infinity;
  #maxTime = -Infinity;

  constructor(tables: HeadTables, chunks: SeriesChunks) {
    this.#tables = tables;
    this.#chunks = chunks;
  }

  /** Bounds of all published samples. */
  get minTime(): number {
    return this.#minTime;
  }

  get maxTime(): number {
    return this.#maxTime;
  }

  publish(rows: SampleBatch): void {
    const { refs, times, words, count } = rows;
    if (count === 0) return;
    if (this.#words.length < count) this.#words = new Int32Array(Math.max(count, this.#words.length * 2));
    const next = this.#words;
    const chunks = this.#chunks;
    let minTime = this.#minTime;
    let maxTime = this.#maxTime;
    for (let i = 0; i < count; i++) {
      const time = times[i]!;
      next[i] = chunks.append(refs[i]!, time, words[i * 2]!, words[i * 2 + 1]!);
      if (time < minTime) minTime = time;
      if (time > maxTime) maxTime = time;
    }
    for (let from = 0; from < count; from += PUBLISH_ROWS) {
      this.#publishRows(refs, from, Math.min(count, from + PUBLISH_ROWS));
    }
    const control = this.#tables.control;
    if (minTime < this.#minTime) control.f64[CONTROL.minTime / 2] = this.#minTime = minTime;
    if (maxTime > this.#maxTime) control.f64[CONTROL.maxTime / 2] = this.#maxTime = maxTime;
    Atomics.store(control.i32, CONTROL.committed, control.i32[CONTROL.undoHead]!);
  }

  #publishRows(refs: Uint32Array, from: number, to: number): void {
    const control = this.#tables.control.i32;
    const publish = this.#tables.publish.i32;
    const undo = this.#tables.undo.i32;
    const next = this.#words;
    const size = to - from;
    // Readers that are still going back over the entries about to be overwritten learn of it first.
    const head = Atomics.add(control, CONTROL.undoReserved, size);
    for (let i = 0; i < size; i++) {
      const ref = refs[from + i]!;
      const at = ((head + i) & (UNDO_ENTRIES - 1)) * 2;
      undo[at] = ref;
      undo[at + 1] = publish[ref]!;
    }
    Atomics.add(control, CONTROL.undoHead, size);
    for (let i = from; i < to; i++) Atomics.store(publish, refs[i]!, next[i]!);
  }
}

interface InFlight {
  readonly commit: Commit;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: unknown) => void;
  isLogged: boolean;
}

/** Commits between admission and publication, in order. One that fails takes those after it along: they may build on it. */
export class CommitQueue {
  readonly #admission: Admission;
  readonly #publisher: Publisher;
  readonly #queue: InFlight[] = [];
  readonly #spare: SampleBatch[] = [];

  constructor(admission: Admission, publisher: Publisher) {
    this.#admission = admission;
    this.#publisher = publisher;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** A batch to admit into; `add` takes it back when it is through. */
  takeRows(): SampleBatch {
    return this.#spare.pop() ?? new SampleBatch();
  }

  giveRows(rows: SampleBatch): void {
    if (this.#spare.length < SPARE_MAX && rows.refs.length <= SPARE_ROWS_MAX) this.#spare.push(rows);
  }

  /** Publishes the commit when it, and all before it, are logged. `undo` runs when it fails. */
  add(commit: Commit, logged: Promise<void>, undo: () => void): Promise<CommitResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CommitResult>();
    const inFlight: InFlight = { commit, resolve, reject, isLogged: false };
    this.#queue.push(inFlight);
    logged.then(
      () => {
        inFlight.isLogged = true;
        this.#publishLogged();
      },
      (error: unknown) => {
        undo();
        this.#fail(inFlight, error);
      },
    );
    return promise;
  }

  #publishLogged(): void {
    while (this.#queue[0]?.isLogged === true) {
      const { commit, resolve, reject } = this.#queue.shift()!;
      try {
        this.#publisher.publish(commit.rows);
        resolve(commit.result());
      } catch (error) {
        reject(error);
      }
      this.giveRows(commit.rows);
    }
  }

  #fail(first: InFlight, error: unknown): void {
    const index = this.#queue.indexOf(first);
    // Not there: it went with one before it.
    if (index < 0) return;
    for (const { commit, reject } of this.#queue.splice(index)) {
      this.#admission.withdraw(commit.rows);
      reject(error);
      this.giveRows(commit.rows);
    }
  }
}

const SPARE_MAX = 16;
const SPARE_ROWS_MAX = 1 << 16;

/** Refuses a batch that chunk memory might not hold, before anything of it is logged. */
export function assertRoom(memory: ChunkMemory, rows: number): void {
  if (memory.hasRoomFor(rows)) return;
  throw new CodedError('limit', `the head has no room for ${rows} more samples: its chunk memory is used up`);
}
