// A segment is pages of 32 KiB; a record is one fragment or more, never across segments. Layout: docs/format/wal.md.
// Writing here is pure: bytes are framed for a position in the segment. Reading finds whole records and steps over
// damage by the rules W1-W8 (docs/format/wal.md): it resumes at the next page boundary, where a fragment must begin.
import { assert } from '../../util/assert.ts';
import type { ByteWriter } from '../../util/bytes.ts';
import { crc32c } from '../../util/crc32c.ts';

export const PAGE_BYTES = 32 * 1024;
const FRAGMENT_HEADER_BYTES = 7;

const FRAGMENT = { pageEnd: 0, full: 1, first: 2, middle: 3, last: 4 } as const;
/** Bits of the type byte beside the fragment's kind. */
const COMPRESSION_FLAG = { none: 0, snappy: 0x08, zstd: 0x10 } as const;
export type RecordCompression = keyof typeof COMPRESSION_FLAG;
const COMPRESSION_MASK = 0x18;
const RESERVED_MASK = 0xe0;

/** Bytes that a record of `sizeBytes` takes when it begins at `offset` of a segment, padding of pages included. */
export function framedSize(offset: number, sizeBytes: number): number {
  let at = offset;
  let rest = sizeBytes;
  do {
    at = skipPadding(at);
    const part = Math.min(rest, PAGE_BYTES - (at % PAGE_BYTES) - FRAGMENT_HEADER_BYTES);
    at += FRAGMENT_HEADER_BYTES + part;
    rest -= part;
  } while (rest > 0);
  return at - offset;
}

/**
 * Appends the fragments of `record` to `out`, whose first byte will stand at `base` of the segment. A place of fewer than
 * seven bytes at the end of a page is zeroed first.
 */
export function frameRecord(out: ByteWriter, base: number, record: Uint8Array, compression: RecordCompression): void {
  const flag = COMPRESSION_FLAG[compression];
  let from = 0;
  do {
    const offset = base + out.length;
    out.zeros(skipPadding(offset) - offset);
    const room = PAGE_BYTES - ((base + out.length) % PAGE_BYTES) - FRAGMENT_HEADER_BYTES;
    const to = Math.min(record.length, from + room);
    out.reserve(FRAGMENT_HEADER_BYTES);
    out.uint8(kindOf(from === 0, to === record.length) | flag);
    out.uint16(to - from);
    out.uint32(crc32c(record, from, to));
    out.append(record.subarray(from, to));
    from = to;
  } while (from < record.length);
}

/** Zero bytes that close the page `offset` is in; 0 at a boundary. */
export function paddingToPage(offset: number): number {
  return (PAGE_BYTES - (offset % PAGE_BYTES)) % PAGE_BYTES;
}

function skipPadding(offset: number): number {
  const padding = paddingToPage(offset);
  return padding > 0 && padding < FRAGMENT_HEADER_BYTES ? offset + padding : offset;
}

function kindOf(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? FRAGMENT.full : FRAGMENT.first;
  return isLast ? FRAGMENT.last : FRAGMENT.middle;
}

/** Why bytes of a segment were not read: a cut-off end, or damage. */
export type DamageKind = 'torn' | 'checksum' | 'header' | 'fragment' | 'zeros';

/** Whole records of one segment, and what stands between them. */
export interface SegmentSink {
  /** A whole record as stored; `bytes` is lent until the call returns. `offset` is where its first fragment begins. */
  record(bytes: Uint8Array, compression: RecordCompression, offset: number): void;
  damage(kind: DamageKind, offset: number, detail: string): void;
}

/**
 * Takes a segment page by page, in order, and hands whole records to its sink. Every fragment is under its checksum; a
 * record with a damaged, missing or misplaced fragment is dropped whole.
 */
export class SegmentScanner {
  readonly #sink: SegmentSink;
  #pieces: Uint8Array = new Uint8Array(PAGE_BYTES);
  #piecesLength = 0;
  /** Where the pending record began; -1 when none is pending. */
  #pendingOffset = -1;
  #pendingFlag = 0;
  /** After damage the rest of a record that it cut is passed over in silence. */
  #isResuming = false;
  /** Where zeros fill a page that had room for a fragment; normal only when nothing follows (W2). -1 for nowhere. */
  #zerosOffset = -1;
  #endOffset = 0;

  constructor(sink: SegmentSink) {
    this.#sink = sink;
  }

  /** Offset after the last whole record. */
  get endOffset(): number {
    return this.#endOffset;
  }

  /**
   * Scans bytes[start, end), one page or, at the end of the segment, a part of one; `offset` is its place in the segment,
   * a multiple of the page size.
   */
  page(bytes: Uint8Array, start: number, end: number, offset: number): void {
    assert(offset % PAGE_BYTES === 0, 'page offset');
    let at = start;
    while (at < end) {
      const here = offset + (at - start);
      if (end - at < FRAGMENT_HEADER_BYTES || bytes[at] === FRAGMENT.pageEnd) {
        this.#pageEnd(bytes, at, end, here, end - start === PAGE_BYTES);
        return;
      }
      this.#reportZeros();
      const next = this.#fragment(bytes, at, end, here, start + PAGE_BYTES);
      if (next < 0) {
        this.#isResuming = true;
        this.#dropPending();
        return;
      }
      at = next;
    }
  }

  /** The segment ends: a record that still waits for fragments is torn. */
  finish(): void {
    if (this.#pendingOffset >= 0) {
      this.#sink.damage('torn', this.#pendingOffset, 'the record has no end');
      this.#dropPending();
    }
  }

  /** Zeros to the end of the page, or a cut-off header. Only padding of less than a header lets a record go on. */
  #pageEnd(bytes: Uint8Array, at: number, end: number, here: number, isWhole: boolean): void {
    let i = at;
    while (i < end && bytes[i] === 0) i++;
    const isPadding = isWhole && end - at < FRAGMENT_HEADER_BYTES;
    if (i === end && isPadding) return;
    if (i === end) {
      if (this.#zerosOffset < 0) this.#zerosOffset = here;
      if (this.#pendingOffset < 0) return;
      this.#sink.damage('torn', this.#pendingOffset, 'the record is broken off by zeros');
    } else {
      this.#reportZeros();
      if (isPadding || bytes[at] === FRAGMENT.pageEnd) {
        this.#sink.damage('header', here, 'bytes other than zero after the end of a page');
      } else this.#sink.damage('torn', here, 'the file ends inside a fragment header');
    }
    this.#isResuming = true;
    this.#dropPending();
  }

  /** Something follows zeros that should have been the end. */
  #reportZeros(): void {
    if (this.#zerosOffset < 0) return;
    this.#sink.damage('zeros', this.#zerosOffset, 'zeros where a record should begin');
    this.#zerosOffset = -1;
    this.#isResuming = true;
  }

  /** Reads the fragment at `at`; returns the place after it, or -1 when the rest of the page cannot be trusted. */
  #fragment(bytes: Uint8Array, at: number, end: number, here: number, pageEnd: number): number {
    const type = bytes[at]!;
    const kind = type & 7;
    const flag = type & COMPRESSION_MASK;
    if (kind > FRAGMENT.last || (type & RESERVED_MASK) !== 0 || flag === COMPRESSION_MASK) {
      this.#sink.damage('header', here, `fragment type 0x${type.toString(16)} does not exist`);
      return -1;
    }
    const length = (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const from = at + FRAGMENT_HEADER_BYTES;
    const to = from + length;
    if (to > pageEnd) {
      this.#sink.damage('header', here, `a fragment of ${length} bytes does not fit its page`);
      return -1;
    }
    if (to > end) {
      this.#sink.damage('torn', here, `the file ends inside a fragment of ${length} bytes`);
      return -1;
    }
    const stored = ((bytes[at + 3]! << 24) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 8) | bytes[at + 6]!) >>> 0;
    if (crc32c(bytes, from, to) !== stored) {
      this.#sink.damage('checksum', here, 'the checksum of a fragment does not match');
      return -1;
    }
    this.#place(bytes.subarray(from, to), kind, flag, here);
    return to;
  }

  #place(part: Uint8Array, kind: number, flag: number, here: number): void {
    if (kind === FRAGMENT.full || kind === FRAGMENT.first) {
      if (this.#pendingOffset >= 0) {
        this.#sink.damage('fragment', this.#pendingOffset, 'a record begins before this one ended');
        this.#dropPending();
      }
      this.#isResuming = false;
      if (kind === FRAGMENT.full) {
        this.#sink.record(part, compressionOf(flag), here);
        this.#endOffset = here + FRAGMENT_HEADER_BYTES + part.length;
        return;
      }
      this.#pendingOffset = here;
      this.#pendingFlag = flag;
      this.#push(part);
      return;
    }
    if (this.#pendingOffset < 0) {
      if (!this.#isResuming) this.#sink.damage('fragment', here, 'a record continues that did not begin');
      this.#isResuming = true;
      return;
    }
    if (flag !== this.#pendingFlag) {
      this.#sink.damage('fragment', here, 'the fragments of a record differ in compression');
      this.#isResuming = true;
      this.#dropPending();
      return;
    }
    this.#push(part);
    if (kind === FRAGMENT.last) {
      const offset = this.#pendingOffset;
      const record = this.#pieces.subarray(0, this.#piecesLength);
      this.#dropPending();
      this.#sink.record(record, compressionOf(flag), offset);
      this.#endOffset = here + FRAGMENT_HEADER_BYTES + part.length;
    }
  }

  #push(part: Uint8Array): void {
    const length = this.#piecesLength + part.length;
    if (length > this.#pieces.length) {
      const grown = new Uint8Array(Math.max(length, this.#pieces.length * 2));
      grown.set(this.#pieces.subarray(0, this.#piecesLength));
      this.#pieces = grown;
    }
    this.#pieces.set(part, this.#piecesLength);
    this.#piecesLength = length;
  }

  #dropPending(): void {
    this.#pendingOffset = -1;
    this.#piecesLength = 0;
  }
}

function compressionOf(flag: number): RecordCompression {
  if (flag === COMPRESSION_FLAG.snappy) return 'snappy';
  return flag === COMPRESSION_FLAG.zstd ? 'zstd' : 'none';
}
