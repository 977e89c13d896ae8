// The shared tables of the head: layout, growth, and how they reach other threads. Layout: docs/format/head-tables.md.
// One thread writes; others read what an Atomics.load of a control or link word has shown them (ARCHITECTURE section 3).
import { CodedError, errorText } from '../../util/errors.ts';
import { assert } from '../../util/assert.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** Address space asked for per table, largest first; it costs nothing until it is touched. */
const RESERVATIONS = [64 * GIB, 16 * GIB, 4 * GIB, GIB];
const GROW_BYTES_MIN = 64 * KIB;

/** Words of the control table (32 bits each). */
export const CONTROL = {
  epoch: 0,
  seriesCount: 1,
  /** Undo position up to which commits are complete: what a new snapshot takes. */
  committed: 2,
  /** Undo entries written; entries above `committed` belong to the commit being published. */
  undoHead: 3,
  /** Undo entries being written: those at `undoReserved - UNDO_ENTRIES` and below may be overwritten. */
  undoReserved: 4,
  symbolCount: 5,
  pairCount: 6,
  /** Hash regions: `offset / 32 words * 32 + log2(slots)`, one word so that both change at once. */
  symbolSlots: 7,
  pairSlots: 8,
  /** The pair record of the label name added last; names are chained from it. */
  lastName: 9,
  /** Sealed chunks in memory, for statistics. */
  chunkCount: 10,
  /** Doubles, at even words: bounds of the samples in the head, ms; +Infinity and -Infinity when there are none. */
  minTime: 12,
  maxTime: 14,
  /** Reader epochs, one per cache line; 0 when the reader holds nothing. */
  readers: 16,
} as const;
export const READER_SLOTS = 64;
export const READER_STRIDE = 16;
const CONTROL_WORDS = CONTROL.readers + READER_SLOTS * READER_STRIDE;

/** Entries of the undo ring: [ref, previous publish word] each. */
export const UNDO_ENTRIES = 1 << 20;

/** Words of a series record (index is ref times SERIES_WORDS). */
export const SERIES_WORDS = 2;
/** Where its open chunk is; 0 before the first sample. Published by Atomics.store. */
export const SERIES_CHUNK = 0;
/** Where its pair ids are, in words of the label-set table. */
export const SERIES_LABELS = 1;

/** Growable shared memory with explicit-length views, which `refresh` replaces after growth. */
export class SharedTable {
  readonly buffer: SharedArrayBuffer;
  i32!: Int32Array<SharedArrayBuffer>;
  u32!: Uint32Array<SharedArrayBuffer>;
  f64!: Float64Array<SharedArrayBuffer>;
  u8!: Uint8Array<SharedArrayBuffer>;
  #sizeBytes = -1;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.refresh();
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Readers call this after loading the count or link that leads into the table, never before (rule 4). */
  refresh(): void {
    const sizeBytes = this.buffer.byteLength;
    if (sizeBytes === this.#sizeBytes) return;
    this.#sizeBytes = sizeBytes;
    this.i32 = new Int32Array(this.buffer, 0, sizeBytes / 4);
    this.u32 = new Uint32Array(this.buffer, 0, sizeBytes / 4);
    this.f64 = new Float64Array(this.buffer, 0, sizeBytes / 8);
    this.u8 = new Uint8Array(this.buffer, 0, sizeBytes);
  }

  /** Writer: makes the table at least this long. Throws `limit` when memory or the reservation ends. */
  cover(neededBytes: number): void {
    if (neededBytes <= this.#sizeBytes) return;
    const wanted = Math.max(neededBytes, this.#sizeBytes * 1.5, GROW_BYTES_MIN);
    const rounded = Math.ceil(wanted / GROW_BYTES_MIN) * GROW_BYTES_MIN;
    growShared(this.buffer, rounded <= this.buffer.maxByteLength ? rounded : neededBytes);
    this.refresh();
  }
}

/** Grows shared memory; throws `limit` when the reservation or the machine's memory ends. */
export function growShared(buffer: SharedArrayBuffer, sizeBytes: number): void {
  try {
    buffer.grow(sizeBytes);
  } catch (error) {
    const text = `the head cannot grow to ${sizeBytes} bytes in one table (reserved ${buffer.maxByteLength})`;
    throw new CodedError('limit', `${text}: ${errorText(error)}`, { cause: error });
  }
}

/** The buffers of a head, to be posted to a reading thread by message (never as workerData, rule 4). */
export interface HeadShare {
  readonly control: SharedArrayBuffer;
  readonly symbolBytes: SharedArrayBuffer;
  readonly symbols: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly pairs: SharedArrayBuffer;
  readonly postings: SharedArrayBuffer;
  readonly labelSets: SharedArrayBuffer;
  readonly series: SharedArrayBuffer;
  readonly publish: SharedArrayBuffer;
  readonly append: SharedArrayBuffer;
  readonly chunks: SharedArrayBuffer;
  readonly undo: SharedArrayBuffer;
}

/** The tables as one thread sees them. */
export class HeadTables {
  readonly share: HeadShare;
  readonly control: SharedTable;
  /** UTF-8 of all symbols, one after the other. */
  readonly symbolBytes: SharedTable;
  /** Per symbol id: end of its bytes in `symbolBytes`, hash. */
  readonly symbols: SharedTable;
  /** Hash slots of symbols and pairs. */
  readonly slots: SharedTable;
  readonly pairs: SharedTable;
  readonly postings: SharedTable;
  /** Per series: count, then its pair ids in label order. */
  readonly labelSets: SharedTable;
  readonly series: SharedTable;
  /** Per ref: sealed chunks modulo 2^16 in the high half, samples of the open chunk in the low half. */
  readonly publish: SharedTable;
  /** 48 bytes per ref of the writer's; readers look at the last time only. */
  readonly append: SharedTable;
  readonly undo: SharedTable;

  constructor(share: HeadShare) {
    this.share = share;
    this.control = new SharedTable(share.control);
    this.symbolBytes = new SharedTable(share.symbolBytes);
    this.symbols = new SharedTable(share.symbols);
    this.slots = new SharedTable(share.slots);
    this.pairs = new SharedTable(share.pairs);
    this.postings = new SharedTable(share.postings);
    this.labelSets = new SharedTable(share.labelSets);
    this.series = new SharedTable(share.series);
    this.publish = new SharedTable(share.publish);
    this.append = new SharedTable(share.append);
    this.undo = new SharedTable(share.undo);
  }

  /** Reader: the number of series, with the views of everything they lead to long enough. */
  loadSeriesCount(): number {
    const count = Atomics.load(this.control.i32, CONTROL.seriesCount);
    this.refresh();
    return count;
  }

  refresh(): void {
    this.symbolBytes.refresh();
    this.symbols.refresh();
    this.slots.refresh();
    this.pairs.refresh();
    this.postings.refresh();
    this.labelSets.refresh();
    this.series.refresh();
    this.publish.refresh();
    this.append.refresh();
  }

  /** Bytes of all tables but the chunks. */
  get sizeBytes(): number {
    let sizeBytes = 0;
    for (const [name, buffer] of Object.entries(this.share) as [string, SharedArrayBuffer][]) {
      if (name !== 'chunks') sizeBytes += buffer.byteLength;
    }
    return sizeBytes;
  }
}

/** Reserves the tables of an empty head. Throws `limit` when the machine refuses even the smallest reservation. */
export function createTables(): HeadTables {
  const probe = new Reservation();
  const tables = new HeadTables({
    control: fixed(CONTROL_WORDS * 4),
    symbolBytes: probe.table(),
    symbols: probe.table(),
    slots: probe.table(),
    pairs: probe.table(),
    postings: probe.table(),
    labelSets: probe.table(),
    series: probe.table(),
    publish: probe.table(),
    append: probe.table(),
    chunks: probe.table(),
    undo: fixed(UNDO_ENTRIES * 8),
  });
  const control = tables.control;
  control.i32[CONTROL.epoch] = 1;
  control.f64[CONTROL.minTime / 2] = Infinity;
  control.f64[CONTROL.maxTime / 2] = -Infinity;
  assert(control.sizeBytes === CONTROL_WORDS * 4, 'control table size');
  return tables;
}

function fixed(sizeBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(sizeBytes);
}

/** Falls back to smaller reservations, for all later tables too, when one is refused. */
class Reservation {
  #index = 0;

  table(): SharedArrayBuffer {
    for (; this.#index < RESERVATIONS.length; this.#index++) {
      try {
        return new SharedArrayBuffer(0, { maxByteLength: RESERVATIONS[this.#index]! });
      } catch {
        // A refusal (RangeError) is an answer: the next size is asked for.
      }
    }
    throw new CodedError('limit', `the machine refuses to reserve ${GIB} bytes of address space for a table`);
  }
}
