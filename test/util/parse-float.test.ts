import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FloatParser } from '../../util/parse-float.ts';

function parse(text: string): { fast: boolean; value: number } | string {
  const parser = new FloatParser();
  const bytes = Buffer.from(`${text}\n`);
  if (parser.parse(bytes, 0)) {
    expect(parser.end).toBe(text.length);
    return { fast: true, value: parser.value };
  }
  return parser.parseToken(text) ?? { fast: false, value: parser.value };
}

test('every decimal text gives the nearest double, on either path', () => {
  const text = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
    fc.tuple(fc.bigInt(), fc.integer({ min: -40, max: 40 })).map(([m, e]) => `${m}e${e}`),
    fc.tuple(fc.nat(), fc.stringMatching(/^\d{1,20}$/)).map(([a, b]) => `${a}.${b}`),
    fc.stringMatching(/^[+-]?\d{0,25}\.?\d{1,25}(?:[eE][+-]?\d{1,2})?$/),
  );
  fc.assert(
    fc.property(text, (t) => {
      const found = parse(t);
      expect(typeof found === 'string' ? found : found.value).toBe(Number(t));
    }),
    { numRuns: process.env['NARTHEX_LONG'] ? 500_000 : 2000, seed: 1 },
  );
});

test.each([
  ['0', true, 0],
  ['-0', true, -0],
  ['1e3', true, 1000],
  ['1.', true, 1],
  ['.5', true, 0.5],
  ['+1.5e-05', true, 1.5e-5],
  ['9007199254740991', true, 9007199254740991],
  ['9007199254740993', false, 9007199254740992],
  ['1e23', false, 1e23],
  ['+Inf', false, Infinity],
  ['-infinity', false, -Infinity],
])('%s', (text, fast, value) => {
  expect(parse(text)).toEqual({ fast, value });
});

test.each([
  ['1e', 'invalid syntax'],
  ['1..2', 'invalid syntax'],
  ['.', 'invalid syntax'],
  ['+nan', 'invalid syntax'],
  ['0x10', 'invalid syntax'],
  ['1e999', 'value out of range'],
  ['1_0', 'unsupported character in float'],
  ['0x1p-2', 'unsupported character in float'],
])('%s is refused', (text, message) => {
  expect(parse(text)).toContain(message);
});

test('NaN is the normal NaN', () => {
  const parser = new FloatParser();
  expect(parser.parseToken('NaN')).toBeUndefined();
  expect([parser.hi, parser.lo]).toEqual([0x7ff80000, 1]);
});
