import { describe, expect, test } from 'vitest';
import { typeOf } from '../../../promql/parse/check.ts';
import { ParseError } from '../../../promql/parse/errors.ts';
import { parseExpr } from '../../../promql/parse/parse.ts';
import { prettyExpr } from '../../../promql/parse/pretty.ts';
import { printExpr } from '../../../promql/parse/print.ts';
import { dumpExpr } from './dump.ts';
import { CASE_OPTIONS, hasConformance, readConformance } from '../../support/promql-cases.ts';

interface ParserCase {
  readonly input: string;
  readonly ok: boolean;
  readonly type?: string;
  readonly printed?: string;
  readonly pretty?: string;
  readonly ast?: unknown;
  readonly error?: string;
  readonly default_options_error?: string;
}

interface PrintCase {
  readonly in: string;
  readonly out: string;
  readonly width?: number;
}

const BARE_OPTIONS = {
  experimentalFunctions: false,
  durationExpressions: false,
  extendedRangeSelectors: false,
  fillModifiers: false,
};

function errorOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
    return (error as ParseError).message;
  }
}

/**
 * What our tree does not tell apart or does not have: empty lists and absent ones, the mark that a selector in info()
 * may match everything, and two positions in durations that the reference misplaces behind a sign.
 */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const isDuration = 'node' in value && value.node === 'DurationExpr';
  const kept = Object.entries(value).filter(([name, each]) => {
    if (Array.isArray(each) && each.length === 0) return false;
    const isMisplaced = name === 'EndPos' || (name === 'StartPos' && 'Wrapped' in value);
    return name !== 'BypassEmptyMatcherCheck' && !(isDuration && isMisplaced);
  });
  return Object.fromEntries(kept.map(([name, each]) => [name, comparable(each)]));
}

describe.skipIf(!hasConformance)('parser cases of the reference', () => {
  const cases = hasConformance ? readConformance<{ cases: ParserCase[] }>('parser-cases.json').cases : [];
  const named = cases.map((each, i) => [`${i}: ${each.input.slice(0, 60)}`, each] as const);

  test.each(named.filter(([, each]) => each.ok))('%s', (_name, { input, type, printed, pretty, ast }) => {
    const expr = parseExpr(input, CASE_OPTIONS);
    expect(typeOf(expr)).toBe(type);
    expect(printExpr(expr)).toBe(printed);
    expect(prettyExpr(expr)).toBe(pretty);
    expect(comparable(dumpExpr(expr, input))).toEqual(comparable(ast));
  });

  test.each(named.filter(([, each]) => !each.ok))('refuses %s', (_name, { input, error }) => {
    expect(errorOf(() => parseExpr(input, CASE_OPTIONS))).toBe(error);
  });

  test.each(named.filter(([, each]) => each.default_options_error))('without options %s', (_name, each) => {
    expect(errorOf(() => parseExpr(each.input, BARE_OPTIONS))).toBe(each.default_options_error);
  });
});

describe.skipIf(!hasConformance)('printer and prettier cases of the reference', () => {
  const options = { ...CASE_OPTIONS, fillModifiers: true };
  const read = (file: string): PrintCase[] =>
    hasConformance ? readConformance<{ cases: PrintCase[] }>(file).cases : [];

  test.each(read('printer-cases.json'))('prints $in', ({ in: input, out }) => {
    expect(printExpr(parseExpr(input, options))).toBe(out);
  });

  test.each(read('prettier-cases.json'))('breaks $in at $width', ({ in: input, out, width }) => {
    expect(prettyExpr(parseExpr(input, options), width)).toBe(out);
  });
});
