import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { compileAnchored, compileSearch } from '../../util/regexp.ts';
import { shapeOf } from '../../util/regexp-shape.ts';

const LONG = process.env['NARTHEX_LONG'] === '1';

describe('pattern shapes', () => {
  test.each([
    ['foo', ['foo'], 0],
    ['foo|bar|', ['foo', 'bar', ''], 0],
    ['^(?:foo|bar)-x\\.y$', ['foo-x.y', 'bar-x.y'], 0],
    ['https?', ['https', 'http'], 0],
    ['foo.*', [], 1],
    ['.+-(?:a|b).*', [], 2],
    ['a|b.*', ['a'], 1],
  ])('%s', (pattern, literals, wildcards) => {
    const shape = shapeOf(pattern);
    expect(shape?.literals).toEqual(literals);
    expect(shape?.wildcards.length).toBe(wildcards);
  });

  test.each(['(?i)foo', 'a+', '[ab]', 'a.b', 'a{2}', '(a', 'a**', '\\d', '(?P<x>a)', 'x^', '.+.+', '('.repeat(1000)])(
    'leaves %s to the engine',
    (pattern) => expect(shapeOf(pattern)).toBeUndefined(),
  );
});

test('anchored patterns match as RE2 does', () => {
  const pattern = fc.array(
    fc.constantFrom('a', 'b', '.*', '.+', '.', '|', '(', ')', '(?:', '?', '\\.', '^', '$', '*', '\n'),
    {
      maxLength: 9,
    },
  );
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 6 });
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (parts, texts) => {
      const source = parts.join('');
      let engine: RE2JS;
      try {
        engine = RE2JS.compile(source, RE2JS.DOTALL);
      } catch {
        expect(() => compileAnchored(source)).toThrow('error parsing regexp');
        return;
      }
      const compiled = compileAnchored(source);
      for (const each of ['', ...texts])
        expect([source, each, compiled.matches(each)]).toEqual([source, each, engine.matches(each)]);
    }),
    { seed: 1, numRuns: LONG ? 200_000 : 3000 },
  );
});

test('the dot matches newline, and case is told by flags', () => {
  expect(compileAnchored('a.*b').matches('a\n\nb')).toBe(true);
  expect(compileAnchored('a.b').matches('a\nb')).toBe(true);
  expect(compileAnchored('(?i)abc').matches('ABC')).toBe(true);
  expect(compileAnchored('abc').matches('ABC')).toBe(false);
});

test('a list of words says what it matches', () => {
  expect(compileAnchored('up|down').literals).toEqual(['up', 'down']);
  expect(compileAnchored('up.*').literals).toBeUndefined();
  expect(compileAnchored('up.').literals).toBeUndefined();
});

test.each([
  ['(', 'error parsing regexp: missing closing ): `(`'],
  ['a**', 'error parsing regexp: invalid nested repetition operator: `**`'],
  ['*', 'error parsing regexp: missing argument to repetition operator: `*`'],
  ['\\', 'error parsing regexp: trailing backslash at end of expression: ``'],
  ['(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
  ['x{1001}', 'error parsing regexp: invalid repeat count: `{1001}`'],
  ['(?P<a>x)(?P<a>y)', 'error parsing regexp: duplicate capture group name: `a`'],
])('refuses %s in the words of Go', (pattern, message) => {
  expect(() => compileAnchored(pattern)).toThrow(message);
});

test('patterns that blow up a backtracking engine cost linear time', () => {
  const started = performance.now();
  const text = 'a'.repeat(20_000);
  expect(compileAnchored('(a+)+b').matches(text)).toBe(false);
  expect(compileAnchored('(a|aa)+b').matches(text)).toBe(false);
  expect(compileAnchored('.*.*.*=.*').matches(text)).toBe(false);
  expect(compileAnchored('(?:.*a){10}b').matches(text)).toBe(false);
  expect(performance.now() - started).toBeLessThan(1000);
});

test('patterns stay right when there are more of them, and more texts, than are kept', () => {
  const kept = compileAnchored('[ab]-\\d+');
  for (let i = 0; i < 1200; i++) expect(compileAnchored(`[ab]${i}`).matches(`a${i}`)).toBe(true);
  for (let i = 0; i < 25_000; i++) if (!kept.matches(`a-${i}`) || kept.matches(`c-${i}`)) throw new Error(`at ${i}`);
  expect(compileAnchored('[ab]-\\d+').matches('b-7')).toBe(true);
});

test('patterns too large for their engine are refused', () => {
  expect(() => compileAnchored(`(${'ab.'.repeat(30_000)}){1000}`)).toThrow('expression too large');
});

test('deeply nested patterns are answered', () => {
  const pattern = `${'('.repeat(5000)}a${')'.repeat(5000)}`;
  expect(() => compileAnchored(pattern)).toThrow(/error parsing regexp/);
});

test('templates are expanded by the groups of a match', () => {
  expect(compileAnchored('(.*):(.*)').expand('a:b', '$2-$1')).toBe('b-a');
  expect(compileAnchored('a|b').expand('a', '[$0$1]')).toBe('[a]');
  expect(compileAnchored('a|b').expand('c', '$0')).toBeUndefined();
});

test('a search finds any part', () => {
  expect(compileSearch('b.d').found('abcde')).toBe(true);
  expect(compileSearch('^b').found('abcde')).toBe(false);
});
