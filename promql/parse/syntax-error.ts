import { EOF, type IRecognitionException, type IToken } from 'chevrotain';
import { ParseError } from './errors.ts';
import { spanOf } from './spans.ts';
import { describeToken, LexError } from './tokens.ts';

const A_DURATION = 'number, duration, step(), or range()';

/** What an error inside a rule is said to be in, and what was expected there; the innermost rule counts. */
const CONTEXTS: ReadonlyMap<string, string> = new Map([
  ['offsetSuffix', ` in offset, expected ${A_DURATION}`],
  ['atSuffix', ' in @, expected timestamp'],
  ['rangeDuration', ` in subquery or range selector, expected ${A_DURATION}`],
  ['stepDuration', ' in subquery selector, expected number, duration, step(), range(), or "]"'],
  ['aggregation', ' in aggregation'],
]);

/** Prometheus' words for a place where the grammar cannot go on. */
export function syntaxError(error: IRecognitionException, text: string): ParseError {
  const { token } = error;
  if (token.tokenType === LexError) return lexFault(token, text);
  const span = token.tokenType === EOF ? { start: text.length, end: text.length } : spanOf(token);
  const place = error.message === '' ? contextOf(error.context.ruleStack) : error.message;
  return new ParseError(`unexpected ${describeToken(token)}${place}`, span, text);
}

/** What the lexer found wrong. */
export function lexFault(token: IToken, text: string): ParseError {
  return new ParseError(String(token.payload), spanOf(token), text);
}

function contextOf(ruleStack: readonly string[]): string {
  for (let i = ruleStack.length - 1; i >= 0; i--) {
    const context = CONTEXTS.get(ruleStack[i]!);
    if (context !== undefined) return context;
  }
  return '';
}
