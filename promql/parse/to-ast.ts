import type { IToken } from 'chevrotain';
import type { Span } from '../../model/annotations.ts';
import { METRIC_NAME, quoteGo } from '../../model/labels.ts';
import { Matcher, type MatchType } from '../../model/matcher.ts';
import { errorText } from '../../util/errors.ts';
import { functionSignature } from '../functions/signatures.ts';
import type { ParserOptions } from '../options.ts';
import type { AggregateOp, BinaryExpr, BinaryOp, Expr, ValueType, VectorMatching, VectorSelector } from './ast.ts';
import { typeOf } from './check.ts';
import { readSeconds } from './duration-builder.ts';
import { ParseError } from './errors.ts';
import { nestingError } from './lex.ts';
import type { ChainBuilder } from './operator-chain.ts';
import { spanFrom, spanOf } from './spans.ts';
import { unquote } from './strings.ts';
import { DurationToken, StringToken } from './tokens.ts';

/** Operands, and label matchers, of one expression. */
export const OPERANDS_MAX = 10_000;

/** A binary operator with what is written behind it. */
interface OperatorPart {
  readonly token: IToken;
  readonly bool: boolean;
  readonly matching: VectorMatching;
}

/** A sign or a binary operator. */
export type ChainOp = IToken | OperatorPart;

const AGGREGATES_WITH_PARAMETER: ReadonlySet<string> = new Set([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);

/**
 * Builds the tree as the grammar finds its parts, with the checks that Prometheus makes while it parses: the first
 * fault found is the one reported, so these run in the same order. What is checked on the finished tree is in check.ts.
 */
export class AstBuilder implements ChainBuilder<Expr, ChainOp> {
  /** Matchings that were written where an operand is a scalar; check.ts complains about them. */
  readonly misplacedMatchings = new Map<BinaryExpr, VectorMatching>();
  readonly #text: string;
  readonly #options: ParserOptions;
  readonly #scalars = new Set<BinaryExpr>();
  #operandCount = 0;
  #emptySelector: Span | undefined;

  constructor(text: string, options: ParserOptions) {
    this.#text = text;
    this.#options = options;
  }

  error(detail: string, span: Span): ParseError {
    return new ParseError(detail, span, this.#text);
  }

  number(token: IToken): Expr {
    this.#count(token);
    const isDuration = token.tokenType === DurationToken;
    return { type: 'numberLiteral', span: spanOf(token), value: readSeconds(this.#text, token), isDuration };
  }

  string(token: IToken): Expr {
    this.#count(token);
    return { type: 'stringLiteral', span: spanOf(token), value: unquote(token.image) };
  }

  paren(open: IToken, expr: Expr, close: IToken): Expr {
    return { type: 'parenExpr', span: { start: open.startOffset, end: close.startOffset + 1 }, expr };
  }

  unary(op: ChainOp, expr: Expr): Expr {
    const sign = op as IToken;
    const isMinus = sign.image === '-';
    const span = { start: sign.startOffset, end: expr.span.end };
    if (expr.type === 'numberLiteral') {
      return { type: 'numberLiteral', span, value: isMinus ? -expr.value : expr.value, isDuration: expr.isDuration };
    }
    return { type: 'unaryExpr', span, op: isMinus ? '-' : '+', expr };
  }

  binary(part: ChainOp, lhs: Expr, rhs: Expr): Expr {
    const { token, bool, matching } = part as OperatorPart;
    const span = spanFrom(lhs.span, rhs.span);
    if (!this.#options.fillModifiers && (matching.fillLeft !== undefined || matching.fillRight !== undefined)) {
      throw this.error('binop fill modifiers are experimental and not enabled', span);
    }
    const op = token.image.toLowerCase() as BinaryOp;
    const leftType = this.#operandType(lhs);
    const rightType = this.#operandType(rhs);
    const onVectors = leftType === 'vector' && rightType === 'vector';
    const isSet = op === 'and' || op === 'or' || op === 'unless';
    const card = isSet && matching.card === 'one-to-one' ? 'many-to-many' : matching.card;
    const kept = { ...matching, card };
    const node: BinaryExpr = {
      type: 'binaryExpr',
      span,
      op,
      lhs,
      rhs,
      bool,
      matching: onVectors ? kept : undefined,
    };
    if (!onVectors) this.misplacedMatchings.set(node, kept);
    if (leftType === 'scalar' && rightType === 'scalar') this.#scalars.add(node);
    return node;
  }

  /** As typeOf, without walking down a long chain for each of its operators. */
  #operandType(expr: Expr): ValueType {
    if (expr.type !== 'binaryExpr') return typeOf(expr);
    return this.#scalars.has(expr) ? 'scalar' : 'vector';
  }

  failTooDeep(op: ChainOp): never {
    throw nestingError(('token' in op ? op.token : op).startOffset, this.#text);
  }

  matcher(name: IToken, op: IToken | undefined, value: IToken | undefined): Matcher {
    this.#count(name);
    const isQuoted = name.tokenType === StringToken;
    const label = isQuoted ? unquote(name.image) : name.image;
    if (!op || !value) return new Matcher('=', METRIC_NAME, label);
    try {
      return new Matcher(op.image as MatchType, label, unquote(value.image));
    } catch (error) {
      throw this.error(errorText(error), spanFrom(spanOf(name), spanOf(value)));
    }
  }

  /** `name` is what stands outside the braces; `close` is the last token. */
  selector(first: IToken, name: string, matchers: readonly Matcher[], close: IToken): VectorSelector {
    this.#count(first);
    const span = spanFrom(spanOf(first), spanOf(close));
    const all = name === '' ? matchers : [...matchers, new Matcher('=', METRIC_NAME, name)];
    if (all.length === 0) this.#emptySelector ??= span;
    return {
      type: 'vectorSelector',
      span,
      name,
      matchers: all,
      shift: { offset: undefined, at: undefined },
      extension: undefined,
    };
  }

  call(name: IToken, args: readonly Expr[], close: IToken): Expr {
    const signature = functionSignature(name.image);
    if (!signature) throw this.error(`unknown function with name ${quoteGo(name.image)}`, spanOf(name));
    if (signature.experimental && !this.#options.experimentalFunctions) {
      throw this.error(`function ${quoteGo(name.image)} is not enabled`, spanOf(name));
    }
    return { type: 'call', span: { start: name.startOffset, end: close.startOffset + 1 }, name: signature.name, args };
  }

  aggregation(name: IToken, grouping: Grouping | undefined, args: readonly Expr[], end: number): Expr {
    const span = { start: name.startOffset, end };
    const op = name.image.toLowerCase() as AggregateOp;
    if (args.length === 0) throw this.error('no arguments for aggregate expression provided', span);
    if ((op === 'limitk' || op === 'limit_ratio') && !this.#options.experimentalFunctions) {
      const flag = '--enable-feature=promql-experimental-functions';
      throw this.error(`${op}() is experimental and must be enabled with ${flag}`, span);
    }
    const hasParameter = AGGREGATES_WITH_PARAMETER.has(op);
    const expected = hasParameter ? 2 : 1;
    if (args.length !== expected) {
      const counts = `expected ${expected}, got ${args.length}`;
      throw this.error(`wrong number of arguments for aggregate expression provided, ${counts}`, span);
    }
    return {
      type: 'aggregation',
      span,
      op,
      expr: args[expected - 1]!,
      param: hasParameter ? args[0] : undefined,
      grouping: grouping?.labels ?? [],
      without: grouping?.without ?? false,
    };
  }

  groupingLabel(token: IToken): string {
    if (token.tokenType !== StringToken) return token.image;
    const label = unquote(token.image);
    if (label === '') throw this.error('invalid label name for grouping: ""', spanOf(token));
    return label;
  }

  signedNumber(sign: IToken | undefined, token: IToken): number {
    const value = readSeconds(this.#text, token);
    return sign?.image === '-' ? -value : value;
  }

  #count(token: IToken): void {
    if (++this.#operandCount <= OPERANDS_MAX) return;
    if (this.#emptySelector) {
      throw this.error('vector selector must contain at least one non-empty matcher', this.#emptySelector);
    }
    throw this.error(`expression has more than ${OPERANDS_MAX} operands and matchers`, spanOf(token));
  }
}

export interface Grouping {
  readonly labels: readonly string[];
  readonly without: boolean;
}
