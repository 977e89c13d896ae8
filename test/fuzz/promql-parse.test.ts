import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Matcher } from '../../model/matcher.ts';
import type { Expr } from '../../promql/parse/ast.ts';
import { parseExpr } from '../../promql/parse/parse.ts';
import { prettyExpr } from '../../promql/parse/pretty.ts';
import { printExpr } from '../../promql/parse/print.ts';
import { ParseError } from '../../promql/parse/errors.ts';
import { CodedError } from '../../util/errors.ts';
import { anyText, scalar, vector } from '../support/random-promql.ts';

const OPTIONS = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};
const RUNS = process.env['NARTHEX_LONG'] === '1' ? 50_000 : 1000;

/** The tree without places, matchers in any order, and durations by their length: `300` and `5m` print alike. */
function meaning(expr: Expr): string {
  return JSON.stringify(expr, (key, value: unknown) => {
    if (key === 'span' || key === 'isNumber' || key === 'seconds') return undefined;
    if (key === 'matchers') return (value as Matcher[]).map(String).sort();
    return typeof value === 'number' ? String(value) : value;
  });
}

function parse(text: string): Expr | undefined {
  try {
    return parseExpr(text, OPTIONS);
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

test('what is printed parses to the same tree and prints the same, on one line and on several', () => {
  let parsed = 0;
  const check = (text: string): void => {
    const expr = parse(text);
    if (!expr) return;
    parsed++;
    const printed = printExpr(expr);
    const again = parseExpr(printed, OPTIONS);
    expect(printExpr(again)).toBe(printed);
    expect(meaning(again)).toBe(meaning(expr));
    expect(printExpr(parseExpr(prettyExpr(expr, 20), OPTIONS))).toBe(printed);
  };
  fc.assert(fc.property(fc.oneof(vector, scalar), check), { seed: 7, numRuns: RUNS });
  expect(parsed).toBeGreaterThan(RUNS / 2);
});

test('any text is parsed or refused with a position', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        parseExpr(text, OPTIONS);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
        expect((error as ParseError).message).toMatch(/^(\d+:\d+|unknown position): parse error: ./);
      }
    }),
    { seed: 7, numRuns: RUNS * 3 },
  );
});
