import { snappyUncompress, zstdUnpack } from '../../util/compress.ts';
import { CodedError, errorText } from '../../util/errors.ts';
import type { FileHandle, Fs } from '../../util/host.ts';
import { PAGE_BYTES, SegmentScanner, type DamageKind, type RecordCompression } from './segment.ts';

/** Read at a time, while the bytes before are decoded. */
const READ_BYTES = 8 * PAGE_BYTES;
/** No record is larger uncompressed; a commit is bounded by the size of a scrape or a request. */
const RECORD_BYTES_MAX = 512 * 1024 * 1024;
/** Damages kept one by one for the report of a segment; all are counted. */
const DAMAGES_MAX = 100;

export interface WalSegment {
  readonly path: string;
  readonly index: number;
}

interface WalDamage {
  readonly kind: DamageKind | 'compression' | 'record' | 'unreadable';
  readonly offset: number;
  readonly detail: string;
}

/** What reading one segment gave. */
export interface SegmentReport {
  readonly segment: WalSegment;
  readonly sizeBytes: number;
  /** False when the disk did not give all of it. */
  readonly isReadable: boolean;
  readonly recordCount: number;
  readonly damageCount: number;
  readonly damages: readonly WalDamage[];
  /** After the last whole record; what follows is zeros, torn or damaged. */
  readonly endOffset: number;
}

export interface RecordSink {
  /** A whole record, uncompressed, lent until the call returns. False when it cannot be decoded: counted as damage. */
  record(bytes: Uint8Array): boolean;
  /** Called after each page; waits when other work should have its turn. */
  pause(readBytes: number): Promise<void> | undefined;
}

/** Segments of a log folder, ascending by number; other names are passed over. */
export async function listSegments(fs: Fs, folder: string): Promise<WalSegment[]> {
  const names = (await fs.list(folder)).filter((name) => /^\d{8,}$/.test(name));
  const segments = names.map((name) => ({ path: `${folder}/${name}`, index: Number(name) }));
  return segments.sort((a, b) => a.index - b.index);
}

/** The newest checkpoint of a log folder and the number of the last segment it covers. */
export async function findCheckpoint(fs: Fs, folder: string): Promise<WalSegment | undefined> {
  let newest: WalSegment | undefined;
  for (const name of await fs.list(folder)) {
    const digits = /^checkpoint\.(\d+)$/.exec(name)?.[1];
    if (digits === undefined) continue;
    const index = Number(digits);
    if (!newest || index > newest.index) newest = { path: `${folder}/${name}`, index };
  }
  return newest;
}

/**
 * Reads one segment from end to end, whatever is wrong inside it. What the disk refuses to read is damage of the kind
 * `unreadable`, with which the segment ends. Rejects when the sink throws.
 */
export async function readSegment(fs: Fs, segment: WalSegment, sink: RecordSink): Promise<SegmentReport> {
  const damages: WalDamage[] = [];
  let damageCount = 0;
  let recordCount = 0;
  const damage = (kind: WalDamage['kind'], offset: number, detail: string): void => {
    damageCount++;
    if (damages.length < DAMAGES_MAX) damages.push({ kind, offset, detail });
  };
  const scanner = new SegmentScanner({
    damage,
    record(stored, compression, offset) {
      let bytes: Uint8Array;
      try {
        bytes = uncompressed(stored, compression);
      } catch (error) {
        return damage('compression', offset, errorText(error));
      }
      recordCount++;
      if (!sink.record(bytes)) damage('record', offset, `a record of type ${bytes[0] ?? 'none'} cannot be decoded`);
    },
  });
  let sizeBytes = 0;
  let isReadable = true;
  const pause = (bytes: number): Promise<void> | undefined => {
    sizeBytes += bytes;
    return sink.pause(bytes);
  };
  try {
    await scanSegment(fs, segment.path, scanner, pause);
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    isReadable = false;
    damage('unreadable', sizeBytes, error.message);
    scanner.finish();
  }
  return { segment, sizeBytes, isReadable, recordCount, damageCount, damages, endOffset: scanner.endOffset };
}

/**
 * Feeds a segment to a scanner, reading the next part while one is decoded; `pause` is called after each page, and what
 * it returns is waited for. Rejects with ReadError when the disk does not give the bytes.
 */
export async function scanSegment(
  fs: Fs,
  path: string,
  scanner: SegmentScanner,
  pause: (readBytes: number) => Promise<void> | undefined,
): Promise<void> {
  const file = await openSegment(fs, path);
  let next = Promise.resolve(0);
  try {
    let current = new Uint8Array(READ_BYTES);
    let ahead = new Uint8Array(READ_BYTES);
    let offset = 0;
    let length = await readFull(file, current, 0);
    while (length > 0) {
      next = length === READ_BYTES ? readFull(file, ahead, offset + length) : Promise.resolve(0);
      for (let at = 0; at < length; at += PAGE_BYTES) {
        const end = Math.min(at + PAGE_BYTES, length);
        scanner.page(current, at, end, offset + at);
        const waiting = pause(end - at);
        if (waiting) await waiting;
      }
      offset += length;
      length = await next;
      [current, ahead] = [ahead, current];
    }
    scanner.finish();
  } finally {
    await next.catch(() => 0);
    await file.close();
  }
}

/** The disk did not give the bytes of a segment. */
class ReadError extends CodedError {
  constructor(cause: unknown) {
    super('unavailable', errorText(cause), { cause });
  }
}

async function openSegment(fs: Fs, path: string): Promise<FileHandle> {
  try {
    return await fs.open(path, 'r');
  } catch (error) {
    throw new ReadError(error);
  }
}

async function readFull(file: FileHandle, bytes: Uint8Array, offset: number): Promise<number> {
  let length = 0;
  try {
    while (length < bytes.length) {
      const count = await file.read(length === 0 ? bytes : bytes.subarray(length), offset + length);
      if (count === 0) break;
      length += count;
    }
  } catch (error) {
    throw new ReadError(error);
  }
  return length;
}

/** A stored record's bytes. Throws `bad_data` or `limit` for what is not a compressed record. */
export function uncompressed(stored: Uint8Array, compression: RecordCompression): Uint8Array {
  if (compression === 'none') return stored;
  return compression === 'snappy' ? snappyUncompress(stored, RECORD_BYTES_MAX) : zstdUnpack(stored, RECORD_BYTES_MAX);
}
