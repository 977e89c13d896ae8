import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../model/time.ts';

describe('durations', () => {
  test.each([
    ['0', 0],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1y2w3d4h5m6s7ms', 33_019_506_007],
    ['100ms', 100],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    ['', 'empty duration string'],
    ['5', 'not a valid duration string: "5"'],
    ['m', 'not a valid duration string: "m"'],
    ['-5m', 'not a valid duration string: "-5m"'],
    ['1m1h', 'not a valid duration string: "1m1h"'],
    ['1m1m', 'not a valid duration string: "1m1m"'],
    ['1m1h2q', 'not a valid duration string: "1m1h2q"'],
    ['.5h', 'not a valid duration string: ".5h"'],
    ['1.5h', 'unknown unit "." in duration "1.5h"'],
    ['5hs', 'unknown unit "hs" in duration "5hs"'],
    ['5 m', 'unknown unit " m" in duration "5 m"'],
    ['300y', 'duration out of range'],
  ])('refuses %s', (text, message) => expect(() => parseDuration(text)).toThrow(message));

  test('what is printed reads back', () => {
    const ms = fc.integer({ min: 0, max: 9_000_000_000_000 });
    fc.assert(
      fc.property(ms, (value) => parseDuration(formatDuration(value)) === value),
      { seed: 1 },
    );
    expect(formatDuration(-90_000)).toBe('-1m30s');
    expect(formatDuration(14 * 24 * 3_600_000)).toBe('2w');
    expect(formatDuration(8 * 24 * 3_600_000)).toBe('8d');
  });
});
