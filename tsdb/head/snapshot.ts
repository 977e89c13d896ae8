// hot path. A reader's consistent view: publish words as they were at one committed position (rule 3).
import type { SeriesRef } from '../../model/sample.ts';
import { CodedError } from '../../util/errors.ts';
import { CONTROL, UNDO_ENTRIES, type HeadTables } from './tables.ts';

/**
 * The writer has gone round the undo ring since the snapshot was taken (a million series updates): the query must be
 * started again. Series that were selected before stay readable.
 */
export class SnapshotLostError extends CodedError {
  constructor() {
    super('unavailable', 'the head changed too much while the query ran; try again');
  }
}

/** What has to be undone, by ref; one per thread, shared by its snapshots. */
export class UndoScratch {
  #words = new Int32Array(0);
  #stamps = new Int32Array(0);
  #stamp = 0;

  begin(refMax: SeriesRef): void {
    if (this.#stamps.length <= refMax) {
      const size = Math.max(refMax + 1, this.#stamps.length * 2, 1024);
      this.#words = new Int32Array(size);
      this.#stamps = new Int32Array(size);
      this.#stamp = 0;
    }
    this.#stamp = (this.#stamp + 1) | 0 || 1;
  }

  /** Remembers the words before positions [from, from + count) of the ring, the oldest of each ref. */
  load(undo: Int32Array, from: number, count: number): void {
    const words = this.#words;
    const stamps = this.#stamps;
    const stamp = this.#stamp;
    const size = stamps.length;
    for (let i = count - 1; i >= 0; i--) {
      const at = ((from + i) & (UNDO_ENTRIES - 1)) * 2;
      const ref = undo[at]!;
      if (ref >= size || ref < 0) continue;
      words[ref] = undo[at + 1]!;
      stamps[ref] = stamp;
    }
  }

  /** Puts the remembered words in the place of the copied ones. */
  apply(refs: Uint32Array, into: Int32Array): void {
    const words = this.#words;
    const stamps = this.#stamps;
    const stamp = this.#stamp;
    for (let i = 0; i < refs.length; i++) {
      const ref = refs[i]!;
      if (stamps[ref] === stamp) into[i] = words[ref]!;
    }
  }
}

export class Snapshot {
  readonly #tables: HeadTables;
  readonly #scratch: UndoScratch;
  #position: number;
  #isUsed = false;

  /** The caller has entered an epoch. */
  constructor(tables: HeadTables, scratch: UndoScratch) {
    this.#tables = tables;
    this.#scratch = scratch;
    this.#position = Atomics.load(tables.control.i32, CONTROL.committed);
  }

  /**
   * The publish words of the series at the snapshot's position, in the order of `refs`; 0 is a series without samples.
   * `refMax` is at least the greatest ref. Throws SnapshotLostError.
   */
  words(refs: Uint32Array, refMax: SeriesRef): Int32Array {
    const words = new Int32Array(refs.length);
    while (!this.#tryWords(refs, refMax, words)) {
      if (this.#isUsed) throw new SnapshotLostError();
      // Nothing was read at the old position yet: a newer one serves as well.
      this.#position = Atomics.load(this.#tables.control.i32, CONTROL.committed);
    }
    this.#isUsed = true;
    return words;
  }

  #tryWords(refs: Uint32Array, refMax: SeriesRef, into: Int32Array): boolean {
    const control = this.#tables.control.i32;
    const publish = this.#tables.publish.i32;
    for (let i = 0; i < refs.length; i++) into[i] = publish[refs[i]!]!;
    const position = this.#position;
    const count = (Atomics.add(control, CONTROL.undoHead, 0) - position) >>> 0;
    if (count === 0) return true;
    if (count > UNDO_ENTRIES) return false;
    this.#scratch.begin(refMax);
    this.#scratch.load(this.#tables.undo.i32, position, count);
    const reserved = (Atomics.add(control, CONTROL.undoReserved, 0) - position) >>> 0;
    if (reserved > UNDO_ENTRIES) return false;
    this.#scratch.apply(refs, into);
    return true;
  }
}
