import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../util/bytes.ts';
import { VarintCursor } from '../../util/varint.ts';

test('texts come back whatever their length and characters', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 20 }), (texts) => {
      const out = new ByteWriter(1);
      for (const text of texts) out.text(text);
      const cursor = new VarintCursor(out.written());
      for (const text of texts) {
        const length = cursor.uvarint();
        const bytes = out.bytes.subarray(cursor.offset, cursor.offset + length);
        expect(Buffer.from(bytes).toString()).toBe(Buffer.from(text).toString());
        cursor.offset += length;
      }
      expect(cursor.offset).toBe(out.length);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('integers are big-endian, 64-bit ones in two’s complement', () => {
  const out = new ByteWriter(1);
  out.uint8(0xab);
  out.uint16(0x1234);
  out.uint32(0xdeadbeef);
  out.int64(1_700_000_000_000);
  out.int64(-2);
  out.uvarint(300);
  out.varint(-300);
  out.append(Uint8Array.of(1, 2));
  out.zeros(2);
  const hex = Buffer.from(out.written()).toString('hex');
  expect(hex).toBe('ab1234deadbeef0000018bcfe56800fffffffffffffffeac02d70401020000');
});

test('zeros are zeros in a buffer that was used before', () => {
  const out = new ByteWriter(8);
  out.append(new Uint8Array(8).fill(0xff));
  out.clear();
  out.zeros(8);
  expect([...out.written()]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});
