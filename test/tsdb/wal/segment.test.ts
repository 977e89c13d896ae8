import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framedSize, frameRecord, PAGE_BYTES, paddingToPage, SegmentScanner } from '../../../tsdb/wal/segment.ts';
import { ByteWriter } from '../../../util/bytes.ts';

/** Records that tell themselves apart: their number and length, then bytes that follow from both. */
function makeRecord(number: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (number * 31 + length + i * 7) & 255);
}

function frame(records: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter(64);
  for (const record of records) frameRecord(out, 0, record, 'none');
  return out.written().slice();
}

function scan(bytes: Uint8Array): { records: string[]; damages: string[]; endOffset: number } {
  const records: string[] = [];
  const damages: string[] = [];
  const scanner = new SegmentScanner({
    record: (record, compression) => void records.push(`${compression} ${Buffer.from(record).toString('hex')}`),
    damage: (kind, offset) => void damages.push(`${kind} ${offset}`),
  });
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    scanner.page(bytes, at, Math.min(at + PAGE_BYTES, bytes.length), at);
  }
  scanner.finish();
  return { records, damages, endOffset: scanner.endOffset };
}

const text = (record: Uint8Array): string => `none ${Buffer.from(record).toString('hex')}`;

test('records of every length come back, over any number of pages', () => {
  const lengths = fc.array(
    fc.oneof(fc.nat(200), fc.integer({ min: 32_600, max: 33_000 }), fc.integer({ min: 60_000, max: 100_000 })),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(lengths, (sizes) => {
      const records = sizes.map((size, i) => makeRecord(i, size));
      const bytes = frame(records);
      expect(scan(bytes)).toEqual({ records: records.map(text), damages: [], endOffset: bytes.length });
      let offset = 0;
      for (const size of sizes) offset += framedSize(offset, size);
      expect(offset).toBe(bytes.length);
    }),
    { seed: 1, numRuns: 30 },
  );
});

test('a record ends exactly at every place before a page boundary', () => {
  for (let rest = 0; rest <= 20; rest++) {
    const records = [makeRecord(1, PAGE_BYTES - 7 - rest), makeRecord(2, 30)];
    const bytes = frame(records);
    expect(scan(bytes).records).toEqual(records.map(text));
    const padding = rest < 7 ? rest : 0;
    expect(bytes.length).toBe(PAGE_BYTES - rest + padding + framedSize(PAGE_BYTES - rest + padding, 30));
  }
});

test('a segment cut at any offset gives the records before it, and says that its end is torn', () => {
  const records = Array.from({ length: 12 }, (_, i) => makeRecord(i, 20 + i));
  const bytes = frame(records);
  const ends = records.map((_, i) => frame(records.slice(0, i + 1)).length);
  for (let size = 0; size <= bytes.length; size++) {
    const { records: found, damages, endOffset } = scan(bytes.subarray(0, size));
    const whole = ends.filter((end) => end <= size).length;
    expect(found).toEqual(records.slice(0, whole).map(text));
    expect(endOffset).toBe(ends[whole - 1] ?? 0);
    expect(damages).toEqual(size === endOffset ? [] : [`torn ${endOffset}`]);
  }
});

test('whatever bit flips, every record that comes out is one that was written, and all of the next pages come', () => {
  const records = Array.from({ length: 60 }, (_, i) => makeRecord(i, 1900 + i));
  const bytes = frame(records);
  const written = new Set(records.map(text));
  for (let i = 0; i < 400; i++) {
    const offset = (i * 977) % bytes.length;
    const bad = bytes.slice();
    bad[offset]! ^= 1 << (i % 8);
    const { records: found, damages } = scan(bad);
    expect(found.filter((record) => !written.has(record))).toEqual([]);
    expect(damages.length).toBe(1);
    const perPage = Math.ceil(PAGE_BYTES / 1907);
    expect(records.length - found.length).toBeLessThanOrEqual(perPage + 2);
    const isLastPage = Math.floor(offset / PAGE_BYTES) === Math.floor(bytes.length / PAGE_BYTES);
    if (!isLastPage) expect(found.at(-1)).toBe(text(records.at(-1)!));
  }
});

test('a zeroed page costs the records that touch it; trailing zeros cost nothing', () => {
  const records = Array.from({ length: 60 }, (_, i) => makeRecord(i, 1900));
  const bytes = frame(records);
  const zeroed = bytes.slice();
  zeroed.fill(0, PAGE_BYTES, 2 * PAGE_BYTES);
  const { records: found, damages } = scan(zeroed);
  expect(damages.map((damage) => damage.split(' ')[0])).toEqual(['torn', 'zeros']);
  expect(found.length).toBeGreaterThanOrEqual(60 - Math.ceil(PAGE_BYTES / 1907) - 1);
  expect(found).toEqual(records.map(text).filter((record) => found.includes(record)));

  const padded = new Uint8Array(bytes.length + 3 * PAGE_BYTES);
  padded.set(bytes);
  expect(scan(padded)).toEqual({ records: records.map(text), damages: [], endOffset: bytes.length });
});

test('random bytes after the last record cost no record', () => {
  const records = [makeRecord(1, 50), makeRecord(2, 60)];
  const bytes = frame(records);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40_000 }), (tail) => {
      const { records: found } = scan(Uint8Array.from([...bytes, ...tail]));
      expect(found).toEqual(records.map(text));
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('fragments out of their order give no record', () => {
  const long = makeRecord(1, 2 * PAGE_BYTES);
  const bytes = frame([long, makeRecord(2, 10)]);
  const withoutFirst = bytes.slice(PAGE_BYTES);
  expect(scan(withoutFirst)).toMatchObject({ records: [text(makeRecord(2, 10))], damages: ['fragment 0'] });
  const withoutMiddle = new Uint8Array(bytes.length - PAGE_BYTES);
  withoutMiddle.set(bytes.subarray(0, PAGE_BYTES - 10));
  expect(scan(withoutMiddle.subarray(0, PAGE_BYTES)).records).toEqual([]);
  const twiceFirst = Uint8Array.from([...bytes.subarray(0, PAGE_BYTES), ...bytes]);
  expect(scan(twiceFirst)).toMatchObject({ records: [long, makeRecord(2, 10)].map(text), damages: ['fragment 0'] });
});

test('fragment types that do not exist, lengths beyond the page and bytes in the padding are damage', () => {
  const bytes = frame([makeRecord(1, 10)]);
  for (const type of [5, 6, 7, 0x19, 0x21, 0x41, 0x81]) {
    const bad = bytes.slice();
    bad[0] = type;
    expect(scan(bad).damages).toEqual(['header 0']);
  }
  const tooLong = bytes.slice();
  tooLong[1] = 0xff;
  expect(scan(tooLong).damages).toEqual(['header 0']);
  const padded = frame([makeRecord(1, PAGE_BYTES - 10), makeRecord(2, 5)]);
  expect(paddingToPage(PAGE_BYTES - 3)).toBe(3);
  padded[PAGE_BYTES - 1] = 1;
  expect(scan(padded)).toMatchObject({
    records: [1, 2].map((n) => text(makeRecord(n, n === 1 ? PAGE_BYTES - 10 : 5))),
  });
  expect(scan(padded).damages).toEqual([`header ${PAGE_BYTES - 3}`]);
});
