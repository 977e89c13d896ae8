import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import { SampleBatch } from '../../../model/sample.ts';
import { greatestRef } from '../../../tsdb/wal/record-refs.ts';
import {
  beginSeriesRecord,
  decodeSamples,
  decodeSamplesV2,
  encodeSamples,
  encodeSeries,
  RecordDecoder,
  SampleRows,
  SeriesEntries,
} from '../../../tsdb/wal/record.ts';
import { ByteWriter } from '../../../util/bytes.ts';
import { STALE_NAN_HI, STALE_NAN_LO } from '../../../util/float-bits.ts';

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const row = fc.record({
  ref: fc.nat(2 ** 40),
  time: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  hi: fc.oneof(word, fc.constant(STALE_NAN_HI)),
  lo: fc.oneof(word, fc.constant(STALE_NAN_LO)),
});

function samplesRecord(rows: readonly { ref: number; time: number; hi: number; lo: number }[]): Uint8Array {
  const batch = new SampleBatch();
  for (const { time, hi, lo } of rows) batch.appendWords(1, time, hi, lo);
  const out = new ByteWriter(16);
  encodeSamples(
    out,
    batch,
    Float64Array.from(rows, ({ ref }) => ref),
  );
  return out.written().slice();
}

test('samples come back bit for bit, whatever their references, times and value words', () => {
  const decoded = new SampleRows();
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 50 }), (rows) => {
      expect(decodeSamples(samplesRecord(rows), decoded)).toBe(true);
      const back = rows.map((_, i) => ({
        ref: decoded.refs[i],
        time: decoded.times[i],
        hi: decoded.words[i * 2],
        lo: decoded.words[i * 2 + 1],
      }));
      expect([back, decoded.count]).toEqual([rows, rows.length]);
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('a samples record has the bytes Prometheus writes', () => {
  const record = samplesRecord([
    { ref: 7, time: 1_700_000_000_000, hi: 0x3ff00000, lo: 0 },
    { ref: 6, time: 1_700_000_000_001, hi: STALE_NAN_HI, lo: STALE_NAN_LO },
  ]);
  expect(Buffer.from(record).toString('hex')).toBe(
    '02' + '0000000000000007' + '0000018bcfe56800' + '00003ff0000000000000' + '01027ff0000000000002',
  );
});

test('a samples record cut anywhere but between rows is not decoded', () => {
  const record = samplesRecord([
    { ref: 7, time: 5, hi: 1, lo: 2 },
    { ref: 9, time: 6, hi: 3, lo: 4 },
  ]);
  const decoded = new SampleRows();
  const whole: number[] = [];
  for (let end = 1; end <= record.length; end++) if (decodeSamples(record.subarray(0, end), decoded)) whole.push(end);
  expect(whole).toEqual([1, 17, 27, 37]);
});

test('values keep the staleness bits on every one of 50,000 calls', () => {
  const decoded = new SampleRows();
  const rows = [{ ref: 1, time: 1, hi: STALE_NAN_HI, lo: STALE_NAN_LO }];
  for (let i = 0; i < 50_000; i++) {
    decodeSamples(samplesRecord(rows), decoded);
    if (decoded.words[0] !== STALE_NAN_HI || decoded.words[1] !== STALE_NAN_LO) throw new Error(`call ${i}`);
  }
});

test('series come back with their labels, in any script', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 });
  const decoder = new RecordDecoder();
  const entries = new SeriesEntries();
  fc.assert(
    fc.property(fc.array(fc.dictionary(text, text, { maxKeys: 12 }), { maxLength: 10 }), (sets) => {
      const labels = sets.map((set) => Labels.fromObject(set));
      const out = new ByteWriter(16);
      beginSeriesRecord(out);
      for (const [i, each] of labels.entries()) encodeSeries(out, i * 2 ** 33 + 1, each);
      expect(decoder.series(out.written(), entries)).toBe(true);
      expect(entries.labels.map(({ flat }) => flat)).toEqual(labels.map(({ flat }) => flat));
      expect(entries.refs).toEqual(labels.map((_, i) => i * 2 ** 33 + 1));
    }),
    { seed: 1, numRuns: 100 },
  );
});

test('labels that stand unsorted or empty in a record are put in order', () => {
  const out = new ByteWriter(16);
  beginSeriesRecord(out);
  out.int64(3);
  out.uvarint(3);
  for (const text of ['b', '2', 'a', '1', 'c', '']) out.text(text);
  const entries = new SeriesEntries();
  expect(new RecordDecoder().series(out.written(), entries)).toBe(true);
  expect(entries.labels[0]?.flat).toEqual(['a', '1', 'b', '2']);
});

test('a damaged series record is not decoded, and never loops or allocates without bound', () => {
  const out = new ByteWriter(16);
  beginSeriesRecord(out);
  encodeSeries(out, 3, Labels.fromObject({ __name__: 'up', job: 'node' }));
  const record = out.written();
  const decoder = new RecordDecoder();
  const entries = new SeriesEntries();
  for (let end = 2; end < record.length; end++) expect(decoder.series(record.subarray(0, end), entries)).toBe(false);
  const endless = Uint8Array.from([...record.subarray(0, 9), 0xff, 0xff, 0xff, 0xff, 0x0f]);
  expect(decoder.series(endless, entries)).toBe(false);
});

test('samples with start times (type 11) give their samples', () => {
  const out = new ByteWriter(16);
  out.uint8(11);
  for (const value of [9, 1000, 900]) out.varint(value);
  out.int64(1);
  out.varint(-2);
  out.varint(5);
  out.uint8(2);
  out.varint(50);
  out.int64(2);
  out.varint(1);
  out.varint(0);
  out.uint8(1);
  out.int64(3);
  const decoded = new SampleRows();
  expect(decodeSamplesV2(out.written(), decoded)).toBe(true);
  expect([...decoded.refs.subarray(0, 3)]).toEqual([9, 7, 8]);
  expect([...decoded.times.subarray(0, 3)]).toEqual([1000, 1005, 1000]);
  expect([...decoded.words.subarray(0, 6)]).toEqual([0, 1, 0, 2, 0, 3]);
  expect(decodeSamplesV2(out.written().subarray(0, out.length - 1), decoded)).toBe(false);
});

const histogram = (out: ByteWriter, schema: number, isFloat: boolean): void => {
  out.uint8(0);
  out.varint(schema);
  out.int64(0);
  for (let i = 0; i < 2; i++) {
    if (isFloat) out.int64(0);
    else out.uvarint(300);
  }
  out.int64(0);
  out.uvarint(1);
  out.varint(-2);
  out.uvarint(2);
  out.uvarint(0);
  out.uvarint(2);
  for (let i = 0; i < 2; i++) {
    if (isFloat) out.int64(0);
    else out.varint(-200);
  }
  out.uvarint(0);
  if (schema === -53) {
    out.uvarint(1);
    out.int64(0);
  }
};

test('the greatest reference is found in every kind of record that is passed over', () => {
  const record = (type: number, write: (out: ByteWriter) => void): Uint8Array => {
    const out = new ByteWriter(16);
    out.uint8(type);
    write(out);
    return out.written().slice();
  };
  const found = [
    record(3, (out) => [5, 40, 6].forEach((ref) => (out.int64(ref), out.varint(-1), out.varint(1000)))),
    record(5, (out) => [5, 40].forEach((ref) => (out.int64(ref), out.int64(0)))),
    record(6, (out) =>
      [40, 7].forEach((ref) => {
        out.uvarint(ref);
        out.uint8(1);
        out.uvarint(2);
        for (const text of ['UNIT', '', 'HELP', 'a help']) out.text(text);
      }),
    ),
    record(4, (out) => {
      out.int64(10);
      out.int64(0);
      for (const delta of [0, 30]) {
        out.varint(delta);
        out.varint(0);
        out.int64(0);
        out.uvarint(1);
        out.text('trace_id');
        out.text('abc');
      }
    }),
    ...[7, 8, 9, 10].map((type) =>
      record(type, (out) => {
        out.int64(10);
        out.int64(0);
        for (const delta of [0, 30, -5]) {
          out.varint(delta);
          out.varint(0);
          histogram(out, type > 8 ? -53 : 3, type % 2 === 0);
        }
      }),
    ),
    ...[12, 13].map((type) =>
      record(type, (out) => {
        for (const [i, delta] of [10, 30, -5].entries()) {
          out.varint(delta);
          out.varint(0);
          if (i === 0) out.varint(7);
          else out.uint8(i);
          if (i === 2) out.varint(9);
          histogram(out, 3, type === 13);
        }
      }),
    ),
  ].map((bytes) => greatestRef(bytes));
  expect(found).toEqual(found.map(() => 40));
  expect(greatestRef(Uint8Array.of(99, 1, 2, 3))).toBe(0);
});
