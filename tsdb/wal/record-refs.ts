// Series references of the record kinds that are passed over. A reference seen anywhere must never be given out again,
// so that a sample whose series record was lost cannot land on another series (spec/reliability.md section 2).
import { VarintCursor } from '../../util/varint.ts';
import { RECORD, readInt64, type LogRef } from './record.ts';

const FLOAT_BYTES = 8;
/** The schema of histograms with custom bounds, which follow their buckets. */
const CUSTOM_SCHEMA = -53;
const START_TIME_EXPLICIT = 2;

/** The greatest reference in a record of kinds 3-10, 12 and 13; 0 where it has none or cannot be read. */
export function greatestRef(record: Uint8Array): LogRef {
  const reader = new RefReader(record);
  switch (record[0] ?? 0) {
    case RECORD.tombstones:
      return reader.each(() => {
        reader.int64();
        reader.cursor.varint();
        reader.cursor.varint();
      });
    case RECORD.mmapMarkers:
      return reader.each(() => {
        reader.int64();
        reader.skip(8);
      });
    case RECORD.metadata:
      return reader.each(() => {
        reader.see(reader.cursor.uvarint());
        reader.skip(1);
        reader.texts(reader.cursor.uvarint() * 2);
      });
    case RECORD.exemplars:
      return reader.deltas(() => {
        reader.skip(FLOAT_BYTES);
        reader.texts(reader.cursor.uvarint() * 2);
      });
    case RECORD.histograms:
    case RECORD.customHistograms:
      return reader.deltas(() => reader.histogram(false));
    case RECORD.floatHistograms:
    case RECORD.customFloatHistograms:
      return reader.deltas(() => reader.histogram(true));
    case RECORD.histogramsV2:
      return reader.chained(() => reader.histogram(false));
    case RECORD.floatHistogramsV2:
      return reader.chained(() => reader.histogram(true));
    default:
      return 0;
  }
}

/** Walks a record, remembering the greatest reference. */
class RefReader {
  readonly cursor: VarintCursor;
  #greatest = 0;

  constructor(record: Uint8Array) {
    this.cursor = new VarintCursor(record);
    this.cursor.offset = 1;
  }

  see(ref: LogRef): void {
    if (this.cursor.ok && ref > this.#greatest) this.#greatest = ref;
  }

  each(entry: () => void): LogRef {
    const { cursor } = this;
    while (cursor.ok && cursor.offset < cursor.end) entry();
    return this.#greatest;
  }

  /** Entries whose references are relative to one base. */
  deltas(body: () => void): LogRef {
    const base = this.int64();
    this.skip(8);
    return this.each(() => {
      this.see(base + this.cursor.varint());
      this.cursor.varint();
      body();
    });
  }

  /** Entries whose references are relative to the one before, with start times (the second format). */
  chained(body: () => void): LogRef {
    let ref = 0;
    let isFirst = true;
    return this.each(() => {
      ref += this.cursor.varint();
      this.see(ref);
      this.cursor.varint();
      if (isFirst) this.cursor.varint();
      else if (this.#byte() === START_TIME_EXPLICIT) this.cursor.varint();
      isFirst = false;
      body();
    });
  }

  /** A fixed reference; 0 when it is cut off. */
  int64(): number {
    const value = readInt64(this.cursor.bytes, this.cursor.offset, this.cursor.end);
    this.skip(8);
    if (value === undefined) return 0;
    this.see(value);
    return value;
  }

  skip(count: number): void {
    const { cursor } = this;
    if (count > cursor.end - cursor.offset) cursor.ok = false;
    else cursor.offset += count;
  }

  texts(count: number): void {
    for (let i = 0; i < count && this.cursor.ok; i++) this.skip(this.cursor.uvarint());
  }

  histogram(isFloat: boolean): void {
    const { cursor } = this;
    this.skip(1);
    const schema = cursor.varint();
    this.skip(FLOAT_BYTES);
    for (let i = 0; i < 2; i++) {
      if (isFloat) this.skip(FLOAT_BYTES);
      else cursor.uvarint();
    }
    this.skip(FLOAT_BYTES);
    for (let side = 0; side < 2; side++) this.#varints(cursor.uvarint() * 2);
    for (let side = 0; side < 2; side++) {
      const count = cursor.uvarint();
      if (isFloat) this.skip(count * FLOAT_BYTES);
      else this.#varints(count);
    }
    if (schema === CUSTOM_SCHEMA) this.skip(cursor.uvarint() * FLOAT_BYTES);
  }

  /** Signed or not makes no difference to how long they are. */
  #varints(count: number): void {
    for (let i = 0; i < count && this.cursor.ok; i++) this.cursor.uvarint();
  }

  #byte(): number {
    const byte = this.cursor.bytes[this.cursor.offset] ?? 0;
    this.skip(1);
    return byte;
  }
}
