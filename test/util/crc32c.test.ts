import { expect, test } from 'vitest';
import { crc32c } from '../../util/crc32c.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

test('crc32c gives the check value of the standard and the vectors of RFC 3720', () => {
  expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('crc32c of parts is that of the whole, at every cut and offset', () => {
  const bytes = Uint8Array.from({ length: 67 }, (_, i) => (i * 151) & 255);
  for (let start = 0; start < 9; start++) {
    const whole = crc32c(bytes, start);
    for (let cut = start; cut <= bytes.length; cut++) {
      expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, start, cut))).toBe(whole);
    }
  }
});
