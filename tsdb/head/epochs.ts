import { CONTROL, READER_SLOTS, READER_STRIDE, type SharedTable } from './tables.ts';
import { CodedError } from '../../util/errors.ts';
import { assert } from '../../util/assert.ts';

/** Things retired under one epoch before it is advanced. */
const RETIRED_PER_EPOCH = 64;

/** 0 means "holds nothing", so the count passes over it when it wraps. */
function nextEpoch(epoch: number): number {
  return (epoch + 1) | 0 || 1;
}

/** True when epoch `a` is later than `b`, over the wrap of 32 bits. */
function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/**
 * Writer's side of epochs (rule 5): what has moved is retired, and may be reused when every reader that could have seen
 * its old place has left.
 */
export class EpochClock {
  readonly #control: SharedTable;
  readonly #taken = new Uint8Array(READER_SLOTS);
  #epoch = 1;
  #retiredCount = 0;

  constructor(control: SharedTable) {
    this.#control = control;
  }

  /** A slot for a reading thread. Throws `limit` when all are in use. */
  acquireSlot(): number {
    const slot = this.#taken.indexOf(0);
    if (slot < 0) throw new CodedError('limit', `more than ${READER_SLOTS} threads read the head`);
    this.#taken[slot] = 1;
    return slot;
  }

  /** The thread has ended, or will not read again: what it held is given free. */
  releaseSlot(slot: number): void {
    assert(this.#taken[slot] === 1, `reader slot ${slot} is not in use`);
    Atomics.store(this.#control.i32, readerWord(slot), 0);
    this.#taken[slot] = 0;
  }

  /** The epoch to note beside something retired now, after its new place was published. */
  retire(): number {
    const epoch = this.#epoch;
    if (++this.#retiredCount >= RETIRED_PER_EPOCH) this.advance();
    return epoch;
  }

  /** Begins a new epoch, so that what is retired can become free when the readers of today have left. */
  advance(): void {
    if (this.#retiredCount === 0) return;
    this.#retiredCount = 0;
    this.#epoch = nextEpoch(this.#epoch);
    Atomics.store(this.#control.i32, CONTROL.epoch, this.#epoch);
  }

  /** Everything retired before this epoch is out of every reader's reach. */
  oldestHeld(): number {
    let oldest = this.#epoch;
    for (let slot = 0; slot < READER_SLOTS; slot++) {
      if (this.#taken[slot] === 0) continue;
      const held = Atomics.load(this.#control.i32, readerWord(slot));
      if (held !== 0 && isAfter(oldest, held)) oldest = held;
    }
    return oldest;
  }

  /** True when `retired` lies before the epoch that `oldestHeld` gave. */
  static isFree(retired: number, oldestHeld: number): boolean {
    return isAfter(oldestHeld, retired);
  }
}

/** A reading thread's side: its slot shows the oldest epoch that any of its open views entered with. */
export class ReaderEpochs {
  readonly #control: SharedTable;
  readonly #word: number;
  /** Epochs of the open views, in the order they entered. */
  readonly #held: number[] = [];

  constructor(control: SharedTable, slot: number) {
    assert(slot >= 0 && slot < READER_SLOTS, 'reader slot');
    this.#control = control;
    this.#word = readerWord(slot);
  }

  /** Begins a view; what the writer retires from now on stays readable until `leave` gets the same number. */
  enter(): number {
    const words = this.#control.i32;
    let epoch = Atomics.load(words, CONTROL.epoch);
    if (this.#held.length === 0) {
      for (;;) {
        Atomics.store(words, this.#word, epoch);
        const now = Atomics.load(words, CONTROL.epoch);
        if (now === epoch) break;
        epoch = now;
      }
    }
    this.#held.push(epoch);
    return epoch;
  }

  leave(epoch: number): void {
    const index = this.#held.indexOf(epoch);
    assert(index >= 0, 'view was entered');
    this.#held.splice(index, 1);
    if (index === 0) Atomics.store(this.#control.i32, this.#word, this.#held[0] ?? 0);
  }
}

function readerWord(slot: number): number {
  return CONTROL.readers + slot * READER_STRIDE;
}
