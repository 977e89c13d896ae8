import fc from 'fast-check';
import { expect, test } from 'vitest';
import { snappyCompress, snappyLength, snappyUncompress, zstdPack, zstdUnpack } from '../../util/compress.ts';

const LIMIT = 1 << 20;
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

test('snappy comes back, compressible or not', () => {
  const inputs = fc.oneof(
    fc.uint8Array({ maxLength: 5000 }),
    fc.array(fc.constantFrom(1, 2, 3), { maxLength: 200_000, size: 'max' }).map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(inputs, (bytes) => {
      const packed = snappyCompress(bytes);
      expect(snappyLength(packed)).toBe(bytes.length);
      expect(Buffer.compare(snappyUncompress(packed, LIMIT), bytes)).toBe(0);
    }),
    { seed: 1, numRuns: 40 },
  );
});

test('a declared length is refused before it is allocated', () => {
  expect(() => snappyUncompress(hex('80 80 80 80 04 00 61'), LIMIT)).toThrow(
    /declares 1073741824 bytes.*limit is 1048576/,
  );
  expect(() => snappyUncompress(hex('80 80 80 80 04 00 61'), 2 ** 31)).toThrow(/more than 7 bytes can hold/);
  expect(() => snappyUncompress(hex('ff ff ff ff 0f'), 2 ** 33)).toThrow(/more than 5 bytes can hold/);
  expect(() => snappyUncompress(hex('ff ff ff ff 7f'), LIMIT)).toThrow('no valid length');
  expect(() => snappyUncompress(hex('ff ff ff ff ff ff'), LIMIT)).toThrow('no valid length');
  expect(() => snappyUncompress(hex(''), LIMIT)).toThrow('no valid length');
});

test('short and over-long streams are refused', () => {
  expect(() => snappyUncompress(hex('64 00 61'), LIMIT)).toThrow('declares 100 bytes, holds 1');
  expect(() => snappyUncompress(hex('01 04 61 62'), LIMIT)).toThrow('holds more');
  expect(() => snappyUncompress(hex('02 04 61'), LIMIT)).toThrow('ends inside');
  expect(() => snappyUncompress(hex('40 f0 3f'), LIMIT)).toThrow('ends inside');
  expect(() => snappyUncompress(hex('04 fc ff ff'), LIMIT)).toThrow('ends inside');
});

test('a copy from before the start is refused, signed or not', () => {
  expect(() => snappyUncompress(hex('05 01 01'), LIMIT)).toThrow('copy from nowhere');
  expect(() => snappyUncompress(hex('05 00 61 01 00'), LIMIT)).toThrow('copy from nowhere');
  expect(() => snappyUncompress(hex('05 00 61 0f ff ff ff ff'), LIMIT)).toThrow('copy from nowhere');
  expect(() => snappyUncompress(hex('05 00 61 0f ff'), LIMIT)).toThrow('ends inside');
});

test('whatever the bytes, snappy gives bytes of the declared length or a coded error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        expect(snappyUncompress(bytes, LIMIT).length).toBe(snappyLength(bytes));
      } catch (error) {
        expect((error as Error).message).toMatch(/^snappy: /);
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});

test('zstd comes back, is bounded, and refuses what is not zstd', async () => {
  const bytes = new Uint8Array(100_000).fill(7);
  const packed = await zstdPack(bytes);
  expect(Buffer.compare(zstdUnpack(packed, LIMIT), bytes)).toBe(0);
  expect(() => zstdUnpack(packed, 1000)).toThrow('more than 1000 bytes');
  expect(() => zstdUnpack(hex('00 01 02'), LIMIT)).toThrow('not a valid stream');
});
