import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyValues, numberOf, scaledSeconds, tryNumber, words } from '../../exporters/numbers.ts';

describe('numbers of the kernel', () => {
  test('seconds are the nearest double also beyond 2^53 nanoseconds', () => {
    const property = fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (nanos) => {
      const text = String(nanos);
      const padded = text.padStart(10, '0');
      const exact = Number(`${padded.slice(0, -9)}.${padded.slice(-9)}`);
      expect(Math.abs(scaledSeconds(text, 9) - exact)).toBeLessThanOrEqual(exact * 1e-15);
    });
    fc.assert(property, { seed: 7, numRuns: 300 });
    expect(scaledSeconds('18446744073709551615', 9)).toBe(18446744073.709553);
    expect(scaledSeconds('98347736143', 9)).toBe(98.347736143);
    expect(scaledSeconds('0', 6)).toBe(0);
  });

  test('what is no number is an error with the place, or undefined when asked to try', () => {
    expect(numberOf('12', 'x')).toBe(12);
    expect(() => numberOf('twelve', 'meminfo MemFree')).toThrow('meminfo MemFree: not a number: "twelve"');
    expect(() => numberOf(undefined, 'loadavg')).toThrow('loadavg: not a number: ""');
    expect(() => numberOf('', 'loadavg')).toThrow('not a number');
    expect(tryNumber('max')).toBeUndefined();
    expect(tryNumber(' \n')).toBeUndefined();
    expect(tryNumber('0x1003\n')).toBe(4099);
  });

  test('pairs and words', () => {
    expect([...keyValues('anon 1\nfile 2\n\ncut')]).toEqual([
      ['anon', '1'],
      ['file', '2'],
    ]);
    expect(words('  a \t b  c ')).toEqual(['a', 'b', 'c']);
  });
});
