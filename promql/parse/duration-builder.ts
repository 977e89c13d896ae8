import type { IToken } from 'chevrotain';
import type { Span } from '../../model/annotations.ts';
import type { ParserOptions } from '../options.ts';
import type { DurationExpr } from './ast.ts';
import { durationLiteral, isOutOfRange } from './durations.ts';
import { ParseError } from './errors.ts';
import { nestingError } from './lex.ts';
import { parseDurationSeconds, parseNumber } from './numbers.ts';
import type { ChainBuilder } from './operator-chain.ts';
import { spanOf } from './spans.ts';
import { DurationToken } from './tokens.ts';
import { errorText } from '../../util/errors.ts';

/** Builds durations as the grammar finds them, with the checks Prometheus makes while it parses. */
export class DurationBuilder implements ChainBuilder<DurationExpr, IToken> {
  readonly #text: string;
  readonly #options: ParserOptions;

  constructor(text: string, options: ParserOptions) {
    this.#text = text;
    this.#options = options;
  }

  literal(token: IToken): DurationExpr {
    const span = spanOf(token);
    const seconds = readSeconds(this.#text, token);
    if (isOutOfRange(seconds)) throw this.#error('duration out of range', span);
    return durationLiteral(span, seconds, token.tokenType !== DurationToken);
  }

  /** A sign in front: folded into a literal, dropped when it is a plus. */
  unary(sign: IToken, operand: DurationExpr): DurationExpr {
    const span = { start: sign.startOffset, end: operand.span.end };
    const isMinus = sign.image === '-';
    if (operand.type === 'durationLiteral') {
      return durationLiteral(span, isMinus ? -operand.seconds : operand.seconds, operand.isNumber);
    }
    return isMinus ? { type: 'durationUnary', span, op: '-', operand } : operand;
  }

  binary(op: IToken, lhs: DurationExpr, rhs: DurationExpr): DurationExpr {
    this.#needExpressions(lhs.span);
    const name = op.image as '+' | '-' | '*' | '/' | '%' | '^';
    if ((name === '/' || name === '%') && rhs.type === 'durationLiteral' && rhs.seconds === 0) {
      throw this.#error(name === '/' ? 'division by zero' : 'modulo by zero', spanOf(op));
    }
    return { type: 'durationBinary', span: { start: lhs.span.start, end: rhs.span.end }, op: name, lhs, rhs };
  }

  /** `sign` is that of an offset, which Prometheus points at when it refuses. */
  call(name: IToken, close: IToken, sign: IToken | undefined): DurationExpr {
    const span = { start: name.startOffset, end: close.startOffset + 1 };
    this.#needExpressions(sign ? spanOf(sign) : span);
    return { type: 'durationCall', span, name: name.image.toLowerCase() as 'step' | 'range' };
  }

  pair(name: IToken, operands: readonly [DurationExpr, DurationExpr], close: IToken): DurationExpr {
    const [lhs, rhs] = operands;
    const span = { start: name.startOffset, end: close.startOffset + 1 };
    this.#needExpressions(span);
    return { type: 'durationBinary', span, op: name.image.toLowerCase() as 'min_of' | 'max_of', lhs, rhs };
  }

  paren(open: IToken, inner: DurationExpr, close: IToken): DurationExpr {
    this.#needExpressions(inner.span);
    return { type: 'durationParen', span: { start: open.startOffset, end: close.startOffset + 1 }, inner };
  }

  /** A range or a step: must be above zero where that is known now. */
  positive(expr: DurationExpr): DurationExpr {
    if (expr.type === 'durationLiteral' && expr.seconds <= 0) {
      throw this.#error('duration must be greater than 0', expr.span);
    }
    return expr;
  }

  failTooDeep(op: IToken): never {
    throw nestingError(op.startOffset, this.#text);
  }

  #needExpressions(span: Span): void {
    if (!this.#options.durationExpressions) throw this.#error('experimental duration expression is not enabled', span);
  }

  #error(detail: string, span: Span): ParseError {
    return new ParseError(detail, span, this.#text);
  }
}

/** The value of a number token, or the seconds of a duration token. */
export function readSeconds(text: string, token: IToken): number {
  try {
    return token.tokenType === DurationToken ? parseDurationSeconds(token.image) : parseNumber(token.image);
  } catch (error) {
    throw new ParseError(errorText(error), spanOf(token), text);
  }
}
