// hot path. Memory of chunks: one shared table cut into slabs. A slab holds either pages of open-chunk slots in size classes,
// or a stretch of one generation's sealed chunks. A location is one word: slab number and offset in units of 16 bytes.
import { assert } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';
import { EpochClock } from './epochs.ts';
import { growShared } from './tables.ts';

export const SLAB_BYTES = 16 * 1024 * 1024;
const UNIT_BYTES = 16;
const UNIT_BITS = 20;
const UNIT_MASK = (1 << UNIT_BITS) - 1;
const SLABS_MAX = 1 << (32 - UNIT_BITS);
/** Nothing begins in the last bytes of a slab, so that reading a little behind a chunk stays inside it. */
const SLAB_SLACK_BYTES = 64;

const PAGE_BYTES = 16 * 1024;
const PAGES_PER_SLAB = SLAB_BYTES / PAGE_BYTES;

/** Bytes of a slot, by class: 4/3 apart, so that about an eighth is unused. The largest holds any chunk before its cut. */
export const SLOT_BYTES: readonly number[] = [64, 96, 128, 176, 240, 320, 432, 576, 768, 1088];
const SLOT_BYTES_MAX = 1088;

/** Header of a chunk in memory, before its bytes: previous chunk's location, sequence, size, bounds. */
export const CHUNK = {
  previous: 0,
  /** 16 bits: how many chunks of the series come before it, modulo 2^16. */
  sequence: 4,
  /** 16 bits: bytes of a sealed chunk; of an open one, its slot's size class. */
  size: 6,
  minTime: 8,
  /** Newest time of the previous chunk; -Infinity when there is none. */
  previousMaxTime: 16,
  bytes: 24,
} as const;

/** A place in chunk memory; 0 is none. */
export type ChunkLocation = number;

export function slabOf(location: ChunkLocation): number {
  return location >>> UNIT_BITS;
}

export function offsetIn(location: ChunkLocation): number {
  return (location & UNIT_MASK) * UNIT_BYTES;
}

function locationOf(slab: number, offset: number): ChunkLocation {
  return ((slab << UNIT_BITS) | (offset / UNIT_BYTES)) >>> 0;
}

/** Views of the slabs, made when they are first used; a slab never moves. */
export class SlabViews {
  readonly #buffer: SharedArrayBuffer;
  readonly #views: DataView<SharedArrayBuffer>[] = [];

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  view(slab: number): DataView<SharedArrayBuffer> {
    return this.#views[slab] ?? this.#open(slab);
  }

  #open(slab: number): DataView<SharedArrayBuffer> {
    for (let i = this.#views.length; i <= slab; i++) {
      this.#views.push(new DataView(this.#buffer, i * SLAB_BYTES, SLAB_BYTES));
    }
    return this.#views[slab]!;
  }
}

interface RetiredSlots {
  readonly epoch: number;
  readonly locations: ChunkLocation[];
}

/** Pages that hold slots of one class and have a free one; linked through typed arrays, so no heap per slot. */
class Pages {
  /** By page: class, free slots, first free slot (its first word names the next), neighbours among pages with room. */
  sizeClass = new Uint8Array(PAGES_PER_SLAB);
  freeCount = new Uint16Array(PAGES_PER_SLAB);
  firstFree = new Uint16Array(PAGES_PER_SLAB);
  next = new Int32Array(PAGES_PER_SLAB);
  previous = new Int32Array(PAGES_PER_SLAB);

  cover(pageCount: number): void {
    if (pageCount <= this.next.length) return;
    const size = Math.max(pageCount, this.next.length * 2);
    this.sizeClass = grown(this.sizeClass, new Uint8Array(size));
    this.freeCount = grown(this.freeCount, new Uint16Array(size));
    this.firstFree = grown(this.firstFree, new Uint16Array(size));
    this.next = grown(this.next, new Int32Array(size));
    this.previous = grown(this.previous, new Int32Array(size));
  }
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}

const NO_PAGE = -1;
const NO_SLOT = 0xffff;

/** The writer's allocator. */
export class ChunkMemory {
  readonly slabs: SlabViews;
  readonly #buffer: SharedArrayBuffer;
  readonly #epochs: EpochClock;
  #slabCount = 0;
  readonly #pages = new Pages();
  /** By slab: number of its first page among all pages; slabs of sealed chunks have none. */
  readonly #pageSlabs: number[] = [];
  readonly #firstPage: number[] = [];
  #pageCount = 0;
  readonly #freePages: number[] = [];
  readonly #withRoom = SLOT_BYTES.map(() => NO_PAGE);
  #retired: RetiredSlots[] = [];
  #retiring: RetiredSlots | undefined;
  /** Sealed chunks: by generation, the slab being filled and how far. */
  readonly #generations = new Map<number, { slab: number; used: number }>();

  constructor(buffer: SharedArrayBuffer, epochs: EpochClock) {
    this.#buffer = buffer;
    this.slabs = new SlabViews(buffer);
    this.#epochs = epochs;
    // Location 0 is none: the first slab's first page is never given out.
    this.#addPages();
    this.#freePages.pop();
  }

  get sizeBytes(): number {
    return this.#slabCount * SLAB_BYTES;
  }

  /** False when `rows` samples could fill the reservation: at worst each seals a chunk and begins one in a new slot. */
  hasRoomFor(rows: number): boolean {
    const slabs = Math.ceil((rows * 2 * SLOT_BYTES_MAX) / SLAB_BYTES) + 2;
    return (this.#slabCount + slabs) * SLAB_BYTES <= Math.min(this.#buffer.maxByteLength, SLABS_MAX * SLAB_BYTES);
  }

  /** The smallest class whose slots hold `sizeBytes`. */
  static classFor(sizeBytes: number): number {
    let sizeClass = 0;
    while (SLOT_BYTES[sizeClass]! < sizeBytes) sizeClass++;
    assert(sizeClass < SLOT_BYTES.length, 'an open chunk fits the largest slot');
    return sizeClass;
  }

  /** A slot of the class, content undefined. Throws `limit` when memory ends. */
  takeSlot(sizeClass: number): ChunkLocation {
    if (this.#withRoom[sizeClass] === NO_PAGE) this.#collect();
    let page = this.#withRoom[sizeClass]!;
    if (page === NO_PAGE) page = this.#openPage(sizeClass);
    const pages = this.#pages;
    const slot = pages.firstFree[page]!;
    const slotBytes = SLOT_BYTES[sizeClass]!;
    const slab = this.#pageSlabs[page >>> 10]!;
    const offset = (page & (PAGES_PER_SLAB - 1)) * PAGE_BYTES + slot * slotBytes;
    pages.firstFree[page] = this.slabs.view(slab).getUint16(offset);
    if (--pages.freeCount[page]! === 0) this.#unlink(page, sizeClass);
    return locationOf(slab, offset);
  }

  /** The slot is no longer reachable for readers that enter from now on. */
  retireSlot(location: ChunkLocation): void {
    const epoch = this.#epochs.retire();
    if (this.#retiring?.epoch !== epoch) {
      this.#retiring = { epoch, locations: [] };
      this.#retired.push(this.#retiring);
    }
    this.#retiring.locations.push(location);
  }

  /** Room for a sealed chunk of the generation. Throws `limit` when memory ends. */
  takeSealed(generation: number, sizeBytes: number): ChunkLocation {
    const rounded = Math.ceil(sizeBytes / UNIT_BYTES) * UNIT_BYTES;
    let run = this.#generations.get(generation);
    if (!run || run.used + rounded > SLAB_BYTES - SLAB_SLACK_BYTES) {
      run = { slab: this.#addSlab(), used: 0 };
      this.#generations.set(generation, run);
    }
    const location = locationOf(run.slab, run.used);
    run.used += rounded;
    return location;
  }

  #addSlab(): number {
    const slab = this.#slabCount;
    if (slab === SLABS_MAX) throw new CodedError('limit', 'chunks of the head exceed 64 GiB');
    growShared(this.#buffer, (slab + 1) * SLAB_BYTES);
    this.#slabCount = slab + 1;
    return slab;
  }

  #addPages(): void {
    const slab = this.#addSlab();
    const first = this.#pageCount;
    this.#pageSlabs.push(slab);
    this.#firstPage[slab] = first;
    this.#pageCount = first + PAGES_PER_SLAB;
    this.#pages.cover(this.#pageCount);
    for (let page = this.#pageCount - 1; page >= first; page--) this.#freePages.push(page);
  }

  #openPage(sizeClass: number): number {
    if (this.#freePages.length === 0) this.#addPages();
    const page = this.#freePages.pop()!;
    const slab = this.#pageSlabs[page >>> 10]!;
    const view = this.slabs.view(slab);
    const base = (page & (PAGES_PER_SLAB - 1)) * PAGE_BYTES;
    const slotBytes = SLOT_BYTES[sizeClass]!;
    const slotCount = slotsPerPage(sizeClass);
    for (let slot = 0; slot < slotCount; slot++) {
      view.setUint16(base + slot * slotBytes, slot + 1 === slotCount ? NO_SLOT : slot + 1);
    }
    this.#pages.sizeClass[page] = sizeClass;
    this.#pages.freeCount[page] = slotCount;
    this.#pages.firstFree[page] = 0;
    this.#link(page, sizeClass);
    return page;
  }

  /** Gives back what no reader can reach any more. */
  #collect(): void {
    this.#epochs.advance();
    if (this.#retired.length === 0) return;
    const oldest = this.#epochs.oldestHeld();
    let done = 0;
    while (done < this.#retired.length && EpochClock.isFree(this.#retired[done]!.epoch, oldest)) {
      const { locations } = this.#retired[done++]!;
      for (let i = 0; i < locations.length; i++) this.#freeSlot(locations[i]!);
    }
    if (done === 0) return;
    this.#retired.splice(0, done);
    if (this.#retired.length === 0) this.#retiring = undefined;
  }

  #freeSlot(location: ChunkLocation): void {
    const slab = slabOf(location);
    const offset = offsetIn(location);
    const page = this.#firstPage[slab]! + Math.floor(offset / PAGE_BYTES);
    const pages = this.#pages;
    const sizeClass = pages.sizeClass[page]!;
    const slot = (offset % PAGE_BYTES) / SLOT_BYTES[sizeClass]!;
    this.slabs.view(slab).setUint16(offset, pages.freeCount[page] === 0 ? NO_SLOT : pages.firstFree[page]!);
    pages.firstFree[page] = slot;
    const freeCount = ++pages.freeCount[page]!;
    if (freeCount === 1) this.#link(page, sizeClass);
    if (freeCount < slotsPerPage(sizeClass)) return;
    this.#unlink(page, sizeClass);
    this.#freePages.push(page);
  }

  #link(page: number, sizeClass: number): void {
    const pages = this.#pages;
    const first = this.#withRoom[sizeClass]!;
    pages.next[page] = first;
    pages.previous[page] = NO_PAGE;
    if (first !== NO_PAGE) pages.previous[first] = page;
    this.#withRoom[sizeClass] = page;
  }

  #unlink(page: number, sizeClass: number): void {
    const { next, previous } = this.#pages;
    const after = next[page]!;
    const before = previous[page]!;
    if (before === NO_PAGE) this.#withRoom[sizeClass] = after;
    else next[before] = after;
    if (after !== NO_PAGE) previous[after] = before;
  }
}

function slotsPerPage(sizeClass: number): number {
  return Math.floor(PAGE_BYTES / SLOT_BYTES[sizeClass]!);
}
