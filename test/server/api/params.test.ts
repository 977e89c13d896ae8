import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Params, parseSeconds, parseTime, TIME_MS_MAX, TIME_MS_MIN } from '../../../server/api/params.ts';

describe('form parameters', () => {
  test('the body comes before the query string', () => {
    const params = new Params('query=a%2Bb+c&match[]=x', 'query=other&match%5B%5D=y');
    expect(params.text('query')).toBe('a+b c');
    expect(params.all('match[]')).toEqual(['x', 'y']);
    expect(params.text('nothing')).toBe('');
  });

  test('names of the object prototype are names', () => {
    const params = new Params('__proto__=1&constructor=2');
    expect(params.text('__proto__')).toBe('1');
    expect(params.text('constructor')).toBe('2');
    expect(params.text('toString')).toBe('');
  });

  test.each(['a=%', 'a=%zz', 'a=%ff'])('%s is refused', (text) => {
    expect(() => new Params(text)).toThrow('error parsing form values: ');
  });

  test('what URLSearchParams writes is read back', () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { maxLength: 4 }), (pairs) => {
        const params = new Params(new URLSearchParams(pairs).toString());
        for (const [name] of pairs) {
          expect(params.all(name)).toEqual(pairs.filter(([other]) => other === name).map(([, value]) => value));
        }
      }),
      { numRuns: 50, seed: 7 },
    );
  });
});

describe('times', () => {
  test.each([
    ['1700006000', 1700006000000],
    ['1700006000.1234567', 1700006000123],
    ['1.5e9', 1.5e12],
    ['-1.5', -1500],
    ['2023-11-14T22:13:20.123Z', 1700000000123],
    ['2023-11-14T22:13:20.1239999Z', 1700000000123],
    ['2023-11-15T00:13:20+02:00', 1700000000000],
    ['1e300', TIME_MS_MAX],
    ['-292273086-05-16T16:47:06Z', TIME_MS_MIN],
    ['292277025-08-18T07:12:54.999999999Z', TIME_MS_MAX],
  ])('%s', (text, timeMs) => {
    expect(parseTime(text)).toBe(timeMs);
  });

  test.each(['', 'abc', 'NaN', 'Infinity', '0x10', '2023-13-14T22:13:20Z', '2023-11-14', '1 '])(
    '%j is none',
    (text) => {
      expect(parseTime(text)).toBeUndefined();
    },
  );
});

describe('durations', () => {
  test.each([
    ['5', 5000],
    ['0.07', 70],
    ['1m', 60_000],
    ['1h30m', 5_400_000],
  ])('%s', (text, durationMs) => {
    expect(parseSeconds(text)).toBe(durationMs);
  });

  test('that are none are refused in the words of Prometheus', () => {
    expect(() => parseSeconds('x')).toThrow('cannot parse "x" to a valid duration');
    expect(() => parseSeconds('1e20')).toThrow('It overflows int64');
  });
});

describe('range parameters', () => {
  const range = (start: string, end: string, step: string): unknown =>
    new Params(`start=${start}&end=${end}&step=${step}`).range();

  test('are times and a step', () => {
    expect(range('10', '20', '5')).toEqual({ startMs: 10_000, endMs: 20_000, stepMs: 5000 });
    expect(range('0', '11000', '1')).toEqual({ startMs: 0, endMs: 11_000_000, stepMs: 1000 });
  });

  test.each([
    ['x', '1', '1', 'invalid parameter "start": cannot parse "x" to a valid timestamp'],
    ['2', '1', '1', 'invalid parameter "end": end timestamp must not be before start time'],
    ['1', '2', 'x', 'invalid parameter "step": cannot parse "x" to a valid duration'],
    ['1', '2', '0', 'zero or negative query resolution step widths are not accepted. Try a positive integer'],
    ['1', '2', '0.0001', 'zero or negative query resolution'],
    ['0', '11001', '1', 'exceeded maximum resolution of 11,000 points per timeseries.'],
  ])('start %s, end %s, step %s', (start, end, step, message) => {
    expect(() => range(start, end, step)).toThrow(message);
  });
});
