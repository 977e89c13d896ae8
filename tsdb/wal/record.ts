// hot path. Record codecs of the write-ahead log; layouts: docs/format/wal.md. Bytes to columns and back, no objects per
// sample. A record that passed its checksum and still cannot be decoded gives `false`, and nothing of it may be used.
import { Labels } from '../../model/labels.ts';
import type { SampleBatch } from '../../model/sample.ts';
import type { ByteWriter } from '../../util/bytes.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import { putUvarint, VARINT_BYTES_MAX, VarintCursor } from '../../util/varint.ts';

/** First byte of a record. Series and samples are written; the others are met in logs that Prometheus wrote. */
export const RECORD = {
  series: 1,
  samples: 2,
  tombstones: 3,
  exemplars: 4,
  mmapMarkers: 5,
  metadata: 6,
  histograms: 7,
  floatHistograms: 8,
  customHistograms: 9,
  customFloatHistograms: 10,
  samplesV2: 11,
  histogramsV2: 12,
  floatHistogramsV2: 13,
} as const;

/** Identifier of a series inside the log: a safe integer, never used twice in one data directory. */
export type LogRef = number;

const TWO_32 = 2 ** 32;
/** A record cannot hold more labels in a series than this; Prometheus has no such series either. */
const SERIES_LABELS_MAX = 100_000;

export function beginSeriesRecord(out: ByteWriter): void {
  out.uint8(RECORD.series);
}

/** One entry of a series record. */
export function encodeSeries(out: ByteWriter, ref: LogRef, labels: Labels): void {
  out.int64(ref);
  const flat = labels.flat;
  out.uvarint(flat.length >> 1);
  for (let i = 0; i < flat.length; i++) out.text(flat[i]!);
}

/** A samples record of the batch's rows; `refs[i]` is the log's reference of row i. Value words are copied as they are. */
export function encodeSamples(out: ByteWriter, batch: SampleBatch, refs: Float64Array): void {
  const { times, words, count } = batch;
  if (count === 0) return;
  out.reserve(17 + count * (2 * VARINT_BYTES_MAX + 8));
  const { bytes, view } = out;
  const baseRef = refs[0]!;
  const baseTime = times[0]!;
  out.uint8(RECORD.samples);
  out.int64(baseRef);
  out.int64(baseTime);
  let at = out.length;
  for (let i = 0; i < count; i++) {
    const refDelta = refs[i]! - baseRef;
    const timeDelta = times[i]! - baseTime;
    const ref = refDelta < 0 ? -2 * refDelta - 1 : 2 * refDelta;
    if (ref < 128) bytes[at++] = ref;
    else at = putUvarint(bytes, at, ref);
    if (timeDelta === 0) bytes[at++] = 0;
    else at = putUvarint(bytes, at, timeDelta < 0 ? -2 * timeDelta - 1 : 2 * timeDelta);
    view.setInt32(at, words[i * 2]!);
    view.setInt32(at + 4, words[i * 2 + 1]!);
    at += 8;
  }
  out.length = at;
}

/** What a decoded series record holds, as columns that are reused. */
export class SeriesEntries {
  refs: LogRef[] = [];
  labels: Labels[] = [];

  clear(): void {
    this.refs.length = 0;
    this.labels.length = 0;
  }
}

/** Rows of a samples record: log references and, in step with them, times and value words. Reused. */
export class SampleRows {
  refs = new Float64Array(256);
  times = new Float64Array(256);
  /** hi of row i at 2i, lo at 2i + 1. */
  words = new Int32Array(512);
  count = 0;

  reserve(rows: number): void {
    if (rows <= this.refs.length) return;
    const capacity = Math.max(rows, this.refs.length * 2);
    this.refs = new Float64Array(capacity);
    this.times = new Float64Array(capacity);
    this.words = new Int32Array(capacity * 2);
  }
}

/** Decodes records; its texts are shared between series (names and values repeat). One per replay. */
export class RecordDecoder {
  readonly #cursor = new VarintCursor();
  readonly #texts = new TextTable();

  /** The entries of a series record. */
  series(record: Uint8Array, out: SeriesEntries): boolean {
    out.clear();
    const cursor = this.#cursor;
    cursor.reset(record, 1, record.length);
    while (cursor.offset < cursor.end) {
      const ref = readRef(record, cursor.offset, cursor.end);
      if (ref < 0) return false;
      cursor.offset += 8;
      const labels = this.#labels(cursor);
      if (labels === undefined) return false;
      out.refs.push(ref);
      out.labels.push(labels);
    }
    return cursor.ok;
  }

  #labels(cursor: VarintCursor): Labels | undefined {
    const count = cursor.uvarint();
    if (!cursor.ok || count > SERIES_LABELS_MAX) return undefined;
    const flat: string[] = [];
    for (let i = 0; i < count * 2; i++) {
      const length = cursor.uvarint();
      const from = cursor.offset;
      if (!cursor.ok || length > cursor.end - from) return undefined;
      flat.push(this.#texts.text(cursor.bytes, from, from + length));
      cursor.offset = from + length;
    }
    return isSorted(flat) ? new Labels(flat) : Labels.fromPairs(pairsOf(flat));
  }
}

/** Decodes a samples record (type 2). False when it is not one from end to end; `out` then means nothing. */
export function decodeSamples(record: Uint8Array, out: SampleRows): boolean {
  out.count = 0;
  const end = record.length;
  if (end === 1) return true;
  const baseRef = readRef(record, 1, end);
  const baseTime = readInt64(record, 9, end);
  if (baseRef < 0 || baseTime === undefined) return false;
  // A row takes at least ten bytes.
  out.reserve(Math.floor((end - 17) / 10));
  const { refs, times, words } = out;
  const cursor = sampleCursor;
  cursor.reset(record, 17, end);
  let row = 0;
  while (cursor.offset < end) {
    const ref = baseRef + cursor.varint();
    const time = baseTime + cursor.varint();
    const at = cursor.offset;
    if (!cursor.ok || at + 8 > end || ref < 0) return false;
    refs[row] = ref;
    times[row] = time;
    words[row * 2] = readInt32(record, at);
    words[row * 2 + 1] = readInt32(record, at + 4);
    cursor.offset = at + 8;
    row++;
  }
  out.count = row;
  return true;
}

/** Decodes a samples record with start times (type 11), whose start times are passed over. As decodeSamples. */
export function decodeSamplesV2(record: Uint8Array, out: SampleRows): boolean {
  out.count = 0;
  const end = record.length;
  out.reserve(Math.floor(end / 10));
  const cursor = sampleCursor;
  cursor.reset(record, 1, end);
  let ref = 0;
  let firstTime = 0;
  while (cursor.offset < end) {
    const row = out.count++;
    ref += cursor.varint();
    const time = firstTime + cursor.varint();
    if (row === 0) {
      firstTime = time;
      cursor.varint();
    } else if (record[cursor.offset++] === START_TIME_EXPLICIT) cursor.varint();
    const at = cursor.offset;
    if (!cursor.ok || at + 8 > end || ref < 0) return false;
    out.refs[row] = ref;
    out.times[row] = time;
    out.words[row * 2] = readInt32(record, at);
    out.words[row * 2 + 1] = readInt32(record, at + 4);
    cursor.offset = at + 8;
  }
  return true;
}

const START_TIME_EXPLICIT = 2;
const sampleCursor = new VarintCursor();

function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** A 64-bit reference; -1 when it is cut off or beyond the safe integers. */
function readRef(bytes: Uint8Array, offset: number, end: number): LogRef {
  const value = readInt64(bytes, offset, end);
  return value === undefined || value < 0 ? -1 : value;
}

export function readInt64(bytes: Uint8Array, offset: number, end: number): number | undefined {
  if (offset + 8 > end) return undefined;
  const value = readInt32(bytes, offset) * TWO_32 + (readInt32(bytes, offset + 4) >>> 0);
  return Number.isSafeInteger(value) ? value : undefined;
}

function isSorted(flat: readonly string[]): boolean {
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i + 1] === '') return false;
    if (i > 0 && compareUtf8(flat[i - 2]!, flat[i]!) >= 0) return false;
  }
  return true;
}

function* pairsOf(flat: readonly string[]): Generator<[string, string]> {
  for (let i = 0; i < flat.length; i += 2) yield [flat[i]!, flat[i + 1]!];
}

const TEXT_SLOTS = 1 << 15;
/** Longer texts are seldom met twice. */
const TEXT_BYTES_MAX = 64;

/** Bytes to strings, remembering the last text of each slot: of ten labels nine were seen a moment before. */
class TextTable {
  readonly #texts: (string | undefined)[] = Array.from({ length: TEXT_SLOTS }, () => undefined);
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  text(bytes: Uint8Array, from: number, to: number): string {
    const length = to - from;
    if (length > TEXT_BYTES_MAX) return this.#decoder.decode(bytes.subarray(from, to));
    let hash = length;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (TEXT_SLOTS - 1);
    const known = this.#texts[slot];
    if (known !== undefined && isText(known, bytes, from, length)) return known;
    const text = this.#decoder.decode(bytes.subarray(from, to));
    this.#texts[slot] = text;
    return text;
  }
}

/** True when the ASCII text is these bytes; a text with other characters is decoded anew each time. */
function isText(text: string, bytes: Uint8Array, from: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[from + i]!;
    if (byte > 127 || text.charCodeAt(i) !== byte) return false;
  }
  return true;
}
