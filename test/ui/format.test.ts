import { describe, expect, test } from 'vitest';
import { formatAgo, formatAxisTimes, formatSeconds, formatTime, formatValue, parseTime } from '../../ui/format.ts';
import type { Unit } from '../../ui/format.ts';

describe('values carry their unit', () => {
  const cases: readonly (readonly [number, Unit, string])[] = [
    [0, 'bytes', '0 B'],
    [1023, 'bytes', '1023 B'],
    [1024, 'bytes', '1 KiB'],
    [1536, 'bytes/s', '1.5 KiB/s'],
    [1023.9 * 1024, 'bytes', '1 MiB'],
    [-(2 ** 31), 'bytes', '-2 GiB'],
    [2 ** 80, 'bytes', '1048576 EiB'],
    [0.2, 'cores', '0.2'],
    [0.123456, 'percent', '12.3 %'],
    [1.5, 'percent', '150 %'],
    [0.00001, 'percent', '0 %'],
    [0.0042, 'seconds', '4.2 ms'],
    [12_345, 'count', '12.3k'],
    [999.9, 'count', '1k'],
    [1_795_495_626, 'none', '1.8G'],
    [1e-9, 'none', '1.00e-9'],
    [42, 'ops/s', '42/s'],
    [NaN, 'bytes', 'NaN'],
    [-Infinity, 'seconds', '-Inf'],
  ];
  test.each(cases)('%d as %s is %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });
});

test('lengths of time use their two largest units', () => {
  expect([0, 0.00035, 0.012, 4.2, 200, 11_220, 180_000, -90].map(formatSeconds)).toEqual([
    '0 s',
    '350 µs',
    '12 ms',
    '4.2 s',
    '3m 20s',
    '3h 7m',
    '2d 2h',
    '-1m 30s',
  ]);
});

test('a target that was never scraped says so', () => {
  expect(formatAgo(Date.parse('0001-01-01T00:00:00Z'), 0)).toBe('never');
  expect(formatAgo(6000, 10_000)).toBe('4 s ago');
  expect(formatAgo(10_000, 10_000)).toBe('now');
});

test('times are read as they are written, in UTC and in the local zone', () => {
  const ms = Date.UTC(2026, 0, 31, 23, 59, 5);
  for (const isUtc of [true, false]) {
    expect(parseTime(formatTime(ms, isUtc), isUtc)).toBe(ms);
    expect(parseTime(formatTime(ms + 7, isUtc), isUtc)).toBe(ms + 7);
  }
  expect(parseTime('2026-01-01', true)).toBe(Date.UTC(2026, 0, 1));
  expect(parseTime('2026-01-01T10:20', true)).toBe(Date.UTC(2026, 0, 1, 10, 20));
  for (const text of ['', 'now', '2026-13-01', '2026-01-01 25:00', '12:00'])
    expect(parseTime(text, true)).toBeUndefined();
});

test('an axis shows the date where the day changes and seconds only where they matter', () => {
  const at = Date.UTC(2026, 0, 1, 23, 0) / 1000;
  expect(formatAxisTimes([at, at + 3600, at + 7200], true)).toEqual(['23:00', '00:00\n01-02', '01:00']);
  expect(formatAxisTimes([at, at + 15], true)).toEqual(['23:00:00', '23:00:15']);
  expect(formatAxisTimes([at, at + 86_400], true)).toEqual(['01-01', '01-02']);
});
