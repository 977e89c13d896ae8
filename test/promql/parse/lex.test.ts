import type { IToken } from 'chevrotain';
import { describe, expect, test } from 'vitest';
import { lex } from '../../../promql/parse/lex.ts';
import { LexError } from '../../../promql/parse/tokens.ts';
import { hasConformance, readConformance } from '../../support/promql-cases.ts';

interface LexerCase {
  readonly input: string;
  readonly ok: boolean;
  readonly series_description: boolean;
  readonly tokens: readonly (readonly [string, number, string])[];
}

/** Our own names where we tell tokens apart that Prometheus' lexer gives one name. */
const NAMES: Readonly<Record<string, string>> = { LABEL_NAME: 'IDENTIFIER', MATCH_EQL: 'EQL', MATCH_NEQ: 'NEQ' };

function named({ tokenType, startOffset, image }: IToken): [string, number, string] {
  return [NAMES[tokenType.name] ?? tokenType.name, startOffset, image];
}

describe.skipIf(!hasConformance)('lexer cases of the reference', () => {
  const all = hasConformance ? readConformance<{ cases: LexerCase[] }>('lexer-cases.json').cases : [];
  const cases = all.filter((each) => !each.series_description);

  test.each(cases.filter((each) => each.ok))('$input', ({ input, tokens }) => {
    const found = lex(input);
    const fault = tokens.find(([name]) => name === 'ERROR');
    if (fault) {
      expect(found.at(-1)).toMatchObject({ tokenType: LexError, startOffset: fault[1], payload: fault[2] });
      return;
    }
    expect(found.map(named)).toEqual(tokens.filter(([name]) => name !== 'COMMENT'));
  });

  test.each(cases.filter((each) => !each.ok))('refuses $input', ({ input }) => {
    expect(lex(input).at(-1)?.tokenType).toBe(LexError);
  });
});
