import type { IToken } from 'chevrotain';
import type { Span } from '../../model/annotations.ts';
import type { ParserOptions } from '../options.ts';
import type { AtModifier, DurationExpr, Expr, TimeShift, VectorSelector } from './ast.ts';
import { ParseError } from './errors.ts';
import { spanFrom, spanOf } from './spans.ts';

type Shifted = Extract<Expr, { type: 'vectorSelector' | 'matrixSelector' | 'subquery' }>;

const MUST_FOLLOW = 'must be preceded by an instant vector selector or range vector selector or a subquery';

/** What may stand behind an expression: ranges, `offset`, `@`, `anchored`, `smoothed`. */
export class ModifierBuilder {
  readonly #text: string;
  readonly #options: ParserOptions;

  constructor(text: string, options: ParserOptions) {
    this.#text = text;
    this.#options = options;
  }

  range(expr: Expr, open: IToken, range: DurationExpr, close: IToken): Expr {
    const brackets = spanFrom(spanOf(open), spanOf(close));
    if (expr.type !== 'vectorSelector') throw this.#error('ranges only allowed for vector selectors', brackets);
    if (hasOffset(expr.shift)) throw this.#error('no offset modifiers allowed before range', brackets);
    if (expr.shift.at) throw this.#error('no @ modifiers allowed before range', brackets);
    return { type: 'matrixSelector', span: spanFrom(expr.span, brackets), selector: expr, range };
  }

  subquery(expr: Expr, range: DurationExpr, step: DurationExpr | undefined, close: IToken): Expr {
    const span = spanFrom(expr.span, spanOf(close));
    return { type: 'subquery', span, expr, range, step, shift: { offset: undefined, at: undefined } };
  }

  offset(expr: Expr, offset: DurationExpr, end: number): Expr {
    if (!isShifted(expr)) throw this.#error(`offset modifier ${MUST_FOLLOW}`, expr.span);
    const shift = shiftOf(expr);
    if (hasOffset(shift)) throw this.#error('offset may not be set multiple times', expr.span);
    return withShift(expr, { offset, at: shift.at }, end);
  }

  atTime(expr: Expr, seconds: number, end: number): Expr {
    if (!(seconds < 2 ** 63 && seconds > -(2 ** 63))) {
      throw this.#error(`timestamp out of bounds for @ modifier: ${formatFixed(seconds)}`, expr.span);
    }
    return this.at(expr, { kind: 'time', timeMs: roundHalfAway(seconds * 1000) }, end);
  }

  at(expr: Expr, at: AtModifier, end: number): Expr {
    if (!isShifted(expr)) throw this.#error(`@ modifier ${MUST_FOLLOW}`, expr.span);
    const shift = shiftOf(expr);
    if (shift.at) throw this.#error('@ <timestamp> may not be set multiple times', expr.span);
    return withShift(expr, { offset: shift.offset, at }, end);
  }

  extend(expr: Expr, extension: 'anchored' | 'smoothed'): Expr {
    if (!this.#options.extendedRangeSelectors) {
      throw this.#error(`${extension} modifier is experimental and not enabled`, expr.span);
    }
    if (expr.type === 'subquery') {
      throw this.#error(`${extension} modifier is not supported for subqueries`, expr.span);
    }
    if (expr.type === 'matrixSelector') {
      return { ...expr, selector: this.#extendSelector(expr.selector, extension, expr.span) };
    }
    if (expr.type !== 'vectorSelector') throw this.#error(`${extension} modifier not implemented`, expr.span);
    return this.#extendSelector(expr, extension, expr.span);
  }

  #extendSelector(selector: VectorSelector, extension: 'anchored' | 'smoothed', span: Span): VectorSelector {
    if (selector.extension !== undefined && selector.extension !== extension) {
      throw this.#error('anchored and smoothed modifiers cannot be used together', span);
    }
    return { ...selector, extension };
  }

  #error(detail: string, span: Span): ParseError {
    return new ParseError(detail, span, this.#text);
  }
}

function isShifted(expr: Expr): expr is Shifted {
  return expr.type === 'vectorSelector' || expr.type === 'matrixSelector' || expr.type === 'subquery';
}

function shiftOf(expr: Shifted): TimeShift {
  return expr.type === 'matrixSelector' ? expr.selector.shift : expr.shift;
}

/** An offset of zero is as good as none, and may be followed by another. */
function hasOffset(shift: TimeShift): boolean {
  const { offset } = shift;
  return offset !== undefined && !(offset.type === 'durationLiteral' && offset.valueMs === 0);
}

function withShift(expr: Shifted, shift: TimeShift, end: number): Expr {
  const span = { start: expr.span.start, end };
  if (expr.type === 'matrixSelector') return { ...expr, span, selector: { ...expr.selector, shift } };
  return { ...expr, span, shift };
}

function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** Go's %f. */
function formatFixed(value: number): string {
  if (value === Infinity) return '+Inf';
  if (!Number.isFinite(value)) return value === -Infinity ? '-Inf' : 'NaN';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
