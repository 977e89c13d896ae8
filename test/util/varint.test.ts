import fc from 'fast-check';
import { expect, test } from 'vitest';
import { putUvarint, putVarint, uvarintSize, VarintCursor } from '../../util/varint.ts';

const bytes = new Uint8Array(10);

test('uvarints of every size come back, and take the size foretold', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(52), (value, shift) => {
      const small = Math.floor(value / 2 ** shift);
      const end = putUvarint(bytes, 0, small);
      const cursor = new VarintCursor(bytes.slice(0, end));
      expect(cursor.uvarint()).toBe(small);
      expect([cursor.ok, cursor.offset, uvarintSize(small)]).toEqual([true, end, end]);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('varints are zig-zag as in Go', () => {
  for (const [value, text] of [
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [-64, '7f'],
    [64, '8001'],
    [-65, '8101'],
    [1_700_000_000_000, '80a0abfef962'],
    [-(2 ** 52), 'ffffffffffffff0f'],
  ] as const) {
    const end = putVarint(bytes, 0, value);
    expect(Buffer.from(bytes.subarray(0, end)).toString('hex')).toBe(text);
    expect(new VarintCursor(bytes.slice(0, end)).varint()).toBe(value);
  }
});

test('a cut-off, endless or too large varint makes the cursor fail for good', () => {
  for (const input of ['', '80', '80'.repeat(11), `${'ff'.repeat(9)}01`]) {
    const cursor = new VarintCursor(Buffer.from(input, 'hex'));
    expect([cursor.uvarint(), cursor.ok]).toEqual([0, false]);
    expect([cursor.varint(), cursor.ok]).toEqual([0, false]);
  }
});
