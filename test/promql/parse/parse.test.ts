import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PARSER_OPTIONS } from '../../../promql/options.ts';
import { typeOf } from '../../../promql/parse/check.ts';
import { resolveDuration } from '../../../promql/parse/durations.ts';
import { byteSpan, ParseError, positionOf } from '../../../promql/parse/errors.ts';
import { NESTING_MAX, TEXT_SIZE_MAX } from '../../../promql/parse/lex.ts';
import { parseExpr, parseSelector } from '../../../promql/parse/parse.ts';
import { prettyExpr } from '../../../promql/parse/pretty.ts';
import { printExpr } from '../../../promql/parse/print.ts';
import { OPERANDS_MAX } from '../../../promql/parse/to-ast.ts';

const ALL_OPTIONS = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

function errorOf(text: string, options = ALL_OPTIONS): string {
  try {
    parseExpr(text, options);
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
    return (error as ParseError).message;
  }
  throw new Error(`accepted: ${text}`);
}

/** Parses in a thread with the stack of a query worker and answers with what was printed, or the error. */
function parseInWorker(text: string): Promise<string> {
  const parse = new URL('../../../promql/parse/parse.ts', import.meta.url).href;
  const print = new URL('../../../promql/parse/print.ts', import.meta.url).href;
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { parseExpr } from ${JSON.stringify(parse)};
    import { printExpr } from ${JSON.stringify(print)};
    let answer;
    try { answer = printExpr(parseExpr(workerData.text, workerData.options)); } catch (error) { answer = error.stack; }
    parentPort.postMessage(answer);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { text, options: ALL_OPTIONS },
    resourceLimits: { stackSizeMb: 32 },
  });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

describe('errors point at the fault', () => {
  test.each([
    ['up +\n  é', "2:3: parse error: unexpected character: 'é'"],
    ['"é" +\n\n "é" *', '3:8: parse error: unexpected end of input'],
    ['"é" + up{', '1:11: parse error: unexpected end of input inside braces'],
    ['sum(up up)', '1:8: parse error: unexpected identifier "up" in aggregation'],
    ['sum by (x) up', '1:12: parse error: unexpected identifier "up" in aggregation'],
    ['abs(up up)', '1:8: parse error: unexpected identifier "up"'],
    ['up[5m', '1:6: parse error: unclosed left bracket'],
    ['up[5m @', '1:7: parse error: unexpected <op:@> in subquery or range, expected ":" or "]"'],
    ['up[5m:up]', "1:7: parse error: unexpected character: 'u', expected ':'"],
    [
      'up offset foo',
      '1:11: parse error: unexpected identifier "foo" in offset, expected number, duration, step(), or range()',
    ],
    ['up @ foo', '1:6: parse error: unexpected identifier "foo" in @, expected timestamp'],
    ['up{a=~"("}', '1:4: parse error: error parsing regexp: missing closing ): `(`'],
    ['up{a=~"(?=b)"}', '1:4: parse error: error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
    ['1 5', '1:3: parse error: unexpected number "5"'],
    ['up "a long string"', '1:4: parse error: unexpected string "\\"a long st"...'],
    ['up 1h', '1:4: parse error: unexpected duration "1h"'],
    ['sum(up) sum', '1:9: parse error: unexpected <aggr:sum>'],
    ['up[1.5h]', '1:4: parse error: unknown unit "." in duration "1.5h"'],
    ['up > .5.5', '1:6: parse error: error parsing number: strconv.ParseFloat: parsing ".5.5": invalid syntax'],
    ['up > 0x1ftopk', '1:6: parse error: bad number or duration syntax: "0x1f"'],
    ['up > 3e1e4', '1:6: parse error: bad number or duration syntax: "3e1e"'],
    ['up > "\ud800"', '1:6: parse error: invalid UTF-8 rune'],
    ['up[0m', '1:6: parse error: unclosed left bracket'],
    ['sum by (up', '1:11: parse error: unclosed left parenthesis'],
    ['a smoothed anchored', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
    ['a[5m:] anchored', '1:1: parse error: anchored modifier is not supported for subqueries'],
    ['a @ 1 @ 2', '1:1: parse error: @ <timestamp> may not be set multiple times'],
    ['up offset 1000y', '1:11: parse error: duration out of range'],
    [
      'label_join(up, 5, "x", "y")',
      '1:16: parse error: expected type string in call to function "label_join", got scalar',
    ],
    ['label_join(up)', '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'],
    ['a or fill(0) b', '1:1: parse error: filling in missing series not allowed for set operators'],
    ['a + fill(0) 1', '1:1: parse error: filling in missing series only allowed between instant vectors'],
  ])('%s', (text, message) => expect(errorOf(text)).toBe(message));
});

describe('what is experimental is refused by name', () => {
  test.each([
    [
      'limitk(1, up)',
      'limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
    ],
    ['mad_over_time(up[5m])', 'function "mad_over_time" is not enabled'],
    ['up anchored', 'anchored modifier is experimental and not enabled'],
    ['up[5m] smoothed', 'smoothed modifier is experimental and not enabled'],
    ['a + fill(0) b', 'binop fill modifiers are experimental and not enabled'],
  ])('%s', (text, detail) => {
    expect(errorOf(text, DEFAULT_PARSER_OPTIONS)).toBe(`1:1: parse error: ${detail}`);
    expect(() => parseExpr(text, ALL_OPTIONS)).not.toThrow();
  });

  test('durations may be expressions by default', () => {
    expect(() => parseExpr('up[2 * step()]', DEFAULT_PARSER_OPTIONS)).not.toThrow();
  });
});

describe('limits', () => {
  test.each([
    ['parentheses', '('.repeat(100_000), '1:1001', 'nested deeper'],
    ['closed parentheses', `${'('.repeat(40_000)}1${')'.repeat(40_000)}`, '1:1001', 'nested deeper'],
    ['calls', `${'abs('.repeat(10_000)}up${')'.repeat(10_000)}`, '1:4004', 'nested deeper'],
    ['signs', `${'-'.repeat(50_000)}1`, '1:1001', 'nested deeper'],
    ['powers', `2${'^2'.repeat(9000)}`, '1:2002', 'nested deeper'],
    ['powers in durations', `up[2${'^2'.repeat(9000)}]`, '1:2005', 'nested deeper'],
    ['subqueries', `up${'[5m:]'.repeat(15_000)}`, '1:5003', 'nested deeper'],
    ['operators', `1${'+1'.repeat(20_000)}`, '1:20001', 'operands'],
    ['set operators', `a${' or a'.repeat(20_000)}`, '1:50001', 'operands'],
    ['matchers', `{${'a="b",'.repeat(15_000)}}`, '1:60002', 'operands'],
    ['text', ' '.repeat(1_000_000), `1:${TEXT_SIZE_MAX + 1}`, 'longer than'],
  ])('%s', (_name, text, position, detail) => {
    const started = performance.now();
    const message = errorOf(text);
    expect(message.startsWith(`${position}: parse error: expression `)).toBe(true);
    expect(message).toContain(detail);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('the longest chain is parsed, checked and printed without deep recursion', () => {
    const text = `a${' + a'.repeat(OPERANDS_MAX - 1)}`;
    const expr = parseExpr(text, ALL_OPTIONS);
    expect(typeOf(expr)).toBe('vector');
    expect(printExpr(expr)).toBe(text);
  });

  test('formatting is bounded, as each operator of a chain indents its left side', () => {
    const started = performance.now();
    const chain = (count: number): string => prettyExpr(parseExpr(`a${' + a'.repeat(count)}`, ALL_OPTIONS));
    expect(chain(500).split('\n').length).toBe(953);
    expect(() => chain(OPERANDS_MAX - 1)).toThrow('the formatted expression would be longer than');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('a chain of scalars costs linear time', () => {
    const started = performance.now();
    expect(typeOf(parseExpr(`1${' * 1'.repeat(OPERANDS_MAX - 1)}`, ALL_OPTIONS))).toBe('scalar');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('nesting at the limit is parsed with the stack of a worker', async () => {
    const depth = NESTING_MAX;
    const calls = `${'abs('.repeat(depth)}up${')'.repeat(depth)}`;
    expect(await parseInWorker(calls)).toBe(calls);
    const sums = `${'sum(-(1 + '.repeat(depth / 2)}up${'))'.repeat(depth / 2)}`;
    expect(await parseInWorker(sums)).toBe(sums);
    const durations = `up[${'('.repeat(depth)}5m${')'.repeat(depth)}]`;
    expect(await parseInWorker(durations)).toBe(durations);
  });

  test('a stack that is too small is told as an error, and the parser goes on', () => {
    const text = `${'('.repeat(NESTING_MAX)}1${')'.repeat(NESTING_MAX)}`;
    try {
      parseExpr(text, ALL_OPTIONS);
    } catch (error) {
      expect((error as Error).message).toContain('nested too deeply for this thread');
    }
    expect(printExpr(parseExpr('(1)', ALL_OPTIONS))).toBe('(1)');
  });
});

test('a selector alone gives its matchers, the name last', () => {
  expect(parseSelector('up{job="x", a!~"b|c"}').map(String)).toEqual(['job="x"', 'a!~"b|c"', '__name__="up"']);
  expect(parseSelector(' {"dotted.name"} ').map(String)).toEqual(['__name__="dotted.name"']);
  expect(() => parseSelector('up[5m]')).toThrow('1:3: parse error: unexpected "["');
  expect(() => parseSelector('')).toThrow('parse error');
  expect(() => parseSelector('sum(up)')).toThrow('1:4: parse error: unexpected "("');
});

test('keywords are case-insensitive and may name metrics and labels', () => {
  expect(printExpr(parseExpr('SUM BY (by, ON, le) (Sum{by="x"} OFFSET 5m) AND bottomk', ALL_OPTIONS))).toBe(
    'sum by (by, ON, le) (Sum{by="x"} offset 5m) and bottomk',
  );
});

test('an offset binds one value, but what starts with a parenthesis goes on', () => {
  expect(parseExpr('up offset 5m - 2', ALL_OPTIONS).type).toBe('binaryExpr');
  expect(parseExpr('up offset -step() * 2', ALL_OPTIONS).type).toBe('binaryExpr');
  expect(parseExpr('up offset (5m) - 2', ALL_OPTIONS).type).toBe('vectorSelector');
  expect(parseExpr('up offset -(5m) - 2', ALL_OPTIONS).type).toBe('binaryExpr');
});

test('comments and all kinds of spaces stand anywhere', () => {
  expect(printExpr(parseExpr('# first\nsum( # x\r\n\tup{ # y\n a="b" # z\n} )', ALL_OPTIONS))).toBe('sum(up{a="b"})');
});

test('positions count lines, and columns in bytes', () => {
  expect(positionOf('aé\nb😀c', { start: 6, end: 7 })).toBe('2:6');
  expect(byteSpan('é😀x', { start: 1, end: 4 })).toEqual({ start: 2, end: 7 });
});

describe('durations', () => {
  const rangeOf = (text: string): number => {
    const expr = parseExpr(`up[${text}]`, ALL_OPTIONS);
    if (expr.type !== 'matrixSelector') throw new Error(expr.type);
    return resolveDuration(expr.range, { stepMs: 15_000, rangeMs: 3_600_000 }, false);
  };

  test.each([
    ['5m', 300_000],
    ['1.5', 1500],
    ['1001ms', 1001],
    ['step() * 2 + 1', 31_000],
    ['range() / 7', 514_285],
    ['max_of(step(), 1m)', 60_000],
    ['-(10s - 20s)', 10_000],
    ['2 ^ 3 ^ 1', 8000],
    ['10 % 4', 2000],
  ])('%s', (text, ms) => expect(rangeOf(text)).toBe(ms));

  test.each([
    ['step() - 1m', 'duration must be greater than 0'],
    ['1 / (step() - 15s)', 'division by zero'],
    ['1 % (step() - 15)', 'modulo by zero'],
    ['10 ^ 20', 'duration is out of range'],
    ['(0 - 8) ^ 0.5', 'duration is NaN or infinite'],
  ])('refuses %s', (text, message) => expect(() => rangeOf(text)).toThrow(message));
});
