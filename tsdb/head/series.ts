// hot path. Samples of one series after another: append record, open chunk, cut, seal, publish word. Writer only.
import type { SeriesRef } from '../../model/sample.ts';
import { XOR_NO_WINDOW, XOR_SAMPLE_BYTES_MAX, XOR_SLACK_BYTES, XorAppender } from '../chunk/xor.ts';
import { CHUNK, ChunkMemory, offsetIn, SLOT_BYTES, slabOf, type ChunkLocation } from './chunk-memory.ts';
import { CONTROL, SERIES_CHUNK, SERIES_WORDS, type HeadTables } from './tables.ts';

/** Words of an append record; doubles at half the index. Times are those of the newest sample. */
export const APPEND_WORDS = 12;
export const RECORD = {
  /** Double. -Infinity is not stored: a series without samples has no open chunk. */
  time: 0,
  /** Double: newest time admitted, ahead of `time` while commits are being logged. */
  admittedTime: 2,
  hi: 4,
  lo: 5,
  admittedHi: 6,
  admittedLo: 7,
  delta: 8,
  /** Bits of the open chunk (16), leading (8), trailing (8). */
  state: 9,
  /** When the chunk is cut, ms after its first sample. */
  nextAt: 10,
  /** Samples admitted, ever, not wrapping in practice: 0 says there is nothing to compare with. */
  admittedCount: 11,
} as const;

/** A chunk with more bytes takes no further sample, as in Prometheus. */
const CHUNK_BYTES_MAX = 1005;
/** What must be free in a slot before a sample is appended. */
const ROOM_BYTES = XOR_SAMPLE_BYTES_MAX + XOR_SLACK_BYTES;
/** Room of a new chunk: header, count, first sample, slack. */
const FIRST_CLASS = ChunkMemory.classFor(CHUNK.bytes + 2 + ROOM_BYTES);

export interface ChunkRules {
  /** Chunks do not cross multiples of it, ms; below 2^31. */
  readonly chunkRangeMs: number;
  /** Samples a chunk should have; it is cut at twice as many. */
  readonly samplesPerChunk: number;
}

/** Appends samples to open chunks. What it writes is not visible until its publish word is stored. */
export class SeriesChunks {
  readonly #tables: HeadTables;
  readonly #memory: ChunkMemory;
  readonly #rules: ChunkRules;
  readonly #xor: XorAppender;
  #chunkCount = 0;

  constructor(tables: HeadTables, memory: ChunkMemory, rules: ChunkRules) {
    this.#tables = tables;
    this.#memory = memory;
    this.#rules = rules;
    this.#xor = new XorAppender(memory.slabs.view(0));
  }

  get chunkCount(): number {
    return this.#chunkCount;
  }

  /** Appends a sample newer than all of the series'; returns the publish word that will show it. */
  append(ref: SeriesRef, time: number, hi: number, lo: number): number {
    const { append, series } = this.#tables;
    let location = series.u32[ref * SERIES_WORDS + SERIES_CHUNK]!;
    if (location === 0) return this.#appendFirst(ref, time, hi, lo);

    const xor = this.#xor;
    const words = append.i32;
    const doubles = append.f64;
    const record = ref * APPEND_WORDS;
    const state = words[record + RECORD.state]!;
    const bits = state & 0xffff;
    let view = this.#memory.slabs.view(slabOf(location));
    let offset = offsetIn(location);
    const minTime = view.getFloat64(offset + CHUNK.minTime);
    const count = view.getUint16(offset + CHUNK.bytes);
    const lastTime = doubles[record >> 1]!;
    if (count === this.#rules.samplesPerChunk >> 2) {
      words[record + RECORD.nextAt] = this.#predictEnd(minTime, lastTime, words[record + RECORD.nextAt]!);
    }
    const usedBytes = (bits + 7) >>> 3;
    const isFull = usedBytes > CHUNK_BYTES_MAX || count >= this.#rules.samplesPerChunk * 2;
    if (isFull || time - minTime >= words[record + RECORD.nextAt]!) return this.#cut(ref, time, hi, lo);
    if (CHUNK.bytes + usedBytes + ROOM_BYTES > SLOT_BYTES[view.getUint16(offset + CHUNK.size)]!) {
      location = this.#move(ref, location, usedBytes);
      view = this.#memory.slabs.view(slabOf(location));
      offset = offsetIn(location);
    }

    xor.view = view;
    xor.base = offset + CHUNK.bytes;
    xor.count = count;
    xor.bits = bits;
    xor.time = lastTime;
    xor.delta = words[record + RECORD.delta]!;
    xor.hi = words[record + RECORD.hi]!;
    xor.lo = words[record + RECORD.lo]!;
    xor.leading = (state >>> 16) & 0xff;
    xor.trailing = state >>> 24;
    xor.append(time, hi, lo);
    doubles[record >> 1] = time;
    words[record + RECORD.hi] = hi;
    words[record + RECORD.lo] = lo;
    words[record + RECORD.delta] = xor.delta;
    words[record + RECORD.state] = xor.bits | (xor.leading << 16) | (xor.trailing << 24);
    return (view.getUint16(offset + CHUNK.sequence) << 16) | (count + 1);
  }

  #appendFirst(ref: SeriesRef, time: number, hi: number, lo: number): number {
    return this.#begin(ref, { previous: 0, sequence: 0, previousMaxTime: -Infinity }, time, [hi, lo]);
  }

  /** Seals the open chunk and begins the next one with the sample. */
  #cut(ref: SeriesRef, time: number, hi: number, lo: number): number {
    const { append, series } = this.#tables;
    const location = series.u32[ref * SERIES_WORDS + SERIES_CHUNK]!;
    const view = this.#memory.slabs.view(slabOf(location));
    const offset = offsetIn(location);
    const usedBytes = ((append.i32[ref * APPEND_WORDS + RECORD.state]! & 0xffff) + 7) >>> 3;
    const generation = Math.floor(view.getFloat64(offset + CHUNK.minTime) / this.#rules.chunkRangeMs);
    const sealed = this.#memory.takeSealed(generation, CHUNK.bytes + usedBytes);
    this.#copy(location, sealed, CHUNK.bytes + usedBytes);
    this.#memory.slabs.view(slabOf(sealed)).setUint16(offsetIn(sealed) + CHUNK.size, usedBytes);
    const link = {
      previous: sealed,
      sequence: (view.getUint16(offset + CHUNK.sequence) + 1) & 0xffff,
      previousMaxTime: append.f64[(ref * APPEND_WORDS) >> 1]!,
    };
    const word = this.#begin(ref, link, time, [hi, lo]);
    this.#memory.retireSlot(location);
    return word;
  }

  /** Opens a chunk with its first sample and makes it the series' chunk. */
  #begin(
    ref: SeriesRef,
    link: { readonly previous: ChunkLocation; readonly sequence: number; readonly previousMaxTime: number },
    time: number,
    [hi, lo]: readonly [number, number],
  ): number {
    const { append, series, control } = this.#tables;
    const location = this.#memory.takeSlot(FIRST_CLASS);
    const view = this.#memory.slabs.view(slabOf(location));
    const offset = offsetIn(location);
    view.setUint32(offset + CHUNK.previous, link.previous);
    view.setUint16(offset + CHUNK.sequence, link.sequence);
    view.setUint16(offset + CHUNK.size, FIRST_CLASS);
    view.setFloat64(offset + CHUNK.minTime, time);
    view.setFloat64(offset + CHUNK.previousMaxTime, link.previousMaxTime);
    const xor = this.#xor;
    xor.begin(view, offset + CHUNK.bytes);
    xor.append(time, hi, lo);
    const words = append.i32;
    const record = ref * APPEND_WORDS;
    append.f64[record >> 1] = time;
    words[record + RECORD.hi] = hi;
    words[record + RECORD.lo] = lo;
    words[record + RECORD.delta] = 0;
    words[record + RECORD.state] = xor.bits | (XOR_NO_WINDOW << 16);
    words[record + RECORD.nextAt] = rangeEnd(time, this.#rules.chunkRangeMs) - time;
    Atomics.store(series.i32, ref * SERIES_WORDS + SERIES_CHUNK, location | 0);
    this.#chunkCount++;
    Atomics.store(control.i32, CONTROL.chunkCount, this.#chunkCount);
    return (link.sequence << 16) | 1;
  }

  /** Moves an open chunk that its slot has become too small for; readers may go on reading the old place. */
  #move(ref: SeriesRef, location: ChunkLocation, usedBytes: number): ChunkLocation {
    const sizeClass = ChunkMemory.classFor(CHUNK.bytes + usedBytes + ROOM_BYTES);
    const moved = this.#memory.takeSlot(sizeClass);
    this.#copy(location, moved, CHUNK.bytes + usedBytes);
    this.#memory.slabs.view(slabOf(moved)).setUint16(offsetIn(moved) + CHUNK.size, sizeClass);
    Atomics.store(this.#tables.series.i32, ref * SERIES_WORDS + SERIES_CHUNK, moved | 0);
    this.#memory.retireSlot(location);
    return moved;
  }

  /** Copies in words; up to seven bytes more than asked, which is slack on both sides. */
  #copy(from: ChunkLocation, to: ChunkLocation, sizeBytes: number): void {
    const source = this.#memory.slabs.view(slabOf(from));
    const target = this.#memory.slabs.view(slabOf(to));
    const a = offsetIn(from);
    const b = offsetIn(to);
    for (let i = 0; i < sizeBytes; i += 4) target.setInt32(b + i, source.getInt32(a + i));
  }

  /** Where a quarter-full chunk will be cut, so that the chunks up to the boundary are of equal length. */
  #predictEnd(minTime: number, lastTime: number, nextAt: number): number {
    const parts = nextAt / ((lastTime - minTime + 1) * 4);
    if (parts <= 1) return nextAt;
    return Math.trunc(minTime + nextAt / Math.floor(parts)) - minTime;
  }
}

/** The multiple of the range after `time`; like Prometheus' (and Go's) it counts from 0 in both directions. */
function rangeEnd(time: number, chunkRangeMs: number): number {
  return Math.trunc(time / chunkRangeMs) * chunkRangeMs + chunkRangeMs;
}
