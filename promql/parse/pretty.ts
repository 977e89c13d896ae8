import { unreachable } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';
import { utf8Size } from '../../util/utf8.ts';
import type { BinaryExpr, Expr } from './ast.ts';
import { printAggregationHead, printExpr, printFirst, printOperator, printSubquerySuffix } from './print.ts';

/** Longest line that is left whole. */
const LINE_WIDTH = 100;
const INDENT = '  ';
/** Every operator of a chain indents its left side once more, so a long chain would print to the square of its length. */
const FORMATTED_SIZE_MAX = 4 << 20;

/**
 * The expression on several lines where one would be longer than `width`, as Prometheus' `format_query` answers. Throws
 * bad_data when the text would have more than FORMATTED_SIZE_MAX characters.
 */
export function prettyExpr(expr: Expr, width = LINE_WIDTH): string {
  const prettifier = new Prettifier(width);
  prettifier.write(expr, 0, false);
  return prettifier.text();
}

class Prettifier {
  readonly #width: number;
  readonly #parts: string[] = [];
  readonly #chainSizes = new Map<BinaryExpr, number>();
  #size = 0;

  constructor(width: number) {
    this.#width = width;
  }

  text(): string {
    return this.#parts.join('');
  }

  /** `isInline`: something stands on the line already. */
  write(expr: Expr, level: number, isInline: boolean): void {
    const indent = isInline ? '' : INDENT.repeat(level);
    switch (expr.type) {
      case 'numberLiteral':
      case 'stringLiteral':
      case 'vectorSelector':
      case 'matrixSelector':
        return this.#emit(indent + printExpr(expr));
      case 'unaryExpr':
        this.#emit(indent + expr.op);
        return this.write(expr.expr, level, true);
      case 'subquery':
        // Prometheus leaves out the indentation here when the subquery fits.
        if (this.#fits(expr)) return this.#emit(printExpr(expr));
        this.write(expr.expr, level, isInline);
        return this.#emit(printSubquerySuffix(expr));
      case 'binaryExpr':
        return this.#writeChain(expr, level, isInline);
      case 'aggregation':
      case 'call':
      case 'parenExpr':
        if (this.#fits(expr)) return this.#emit(indent + printExpr(expr));
        this.#emit(indent);
        return this.#writeBlock(expr, level);
      default:
        return unreachable(expr);
    }
  }

  #writeBlock(expr: Expr & { type: 'aggregation' | 'call' | 'parenExpr' }, level: number): void {
    let head = '';
    let inside: readonly Expr[];
    if (expr.type === 'parenExpr') {
      inside = [expr.expr];
    } else if (expr.type === 'call') {
      head = expr.name;
      inside = expr.args;
    } else {
      head = printAggregationHead(expr);
      inside = expr.param ? [expr.param, expr.expr] : [expr.expr];
    }
    this.#emit(`${head}(\n`);
    for (let i = 0; i < inside.length; i++) {
      if (i > 0) this.#emit(',\n');
      this.write(inside[i]!, level + 1, false);
    }
    this.#emit(`\n${INDENT.repeat(level)})`);
  }

  /** Left operands in a loop: a chain of thousands of operators is as deep as it is long. */
  #writeChain(expr: BinaryExpr, level: number, isInline: boolean): void {
    const split: BinaryExpr[] = [];
    let node: Expr = expr;
    while (node.type === 'binaryExpr' && !this.#fits(node)) {
      split.push(node);
      node = node.lhs;
    }
    const innermost = split.at(-1);
    const indent = isInline ? '' : INDENT.repeat(level + split.length);
    if (node.type === 'binaryExpr') this.#emit(indent + printExpr(node));
    else if (innermost && node.type === 'numberLiteral') this.#emit(indent + printFirst(node, innermost.op));
    else this.write(node, level + split.length, isInline);
    for (let i = split.length - 1; i >= 0; i--) {
      this.#emit(`\n${INDENT.repeat(level + i)}${printOperator(split[i]!)}\n`);
      this.write(split[i]!.rhs, level + i + 1, false);
    }
  }

  #fits(expr: Expr): boolean {
    return this.#sizeOf(expr) <= this.#width;
  }

  /** Bytes of the expression on one line. */
  #sizeOf(expr: Expr): number {
    if (expr.type !== 'binaryExpr') return utf8Size(printExpr(expr));
    const chain: BinaryExpr[] = [];
    let node: Expr = expr;
    while (node.type === 'binaryExpr' && !this.#chainSizes.has(node)) {
      chain.push(node);
      node = node.lhs;
    }
    let size = node.type === 'binaryExpr' ? this.#chainSizes.get(node)! : utf8Size(printExpr(node));
    for (let i = chain.length - 1; i >= 0; i--) {
      size += utf8Size(` ${printOperator(chain[i]!)} ${printExpr(chain[i]!.rhs)}`);
      this.#chainSizes.set(chain[i]!, size);
    }
    return size;
  }

  #emit(text: string): void {
    this.#size += text.length;
    if (this.#size > FORMATTED_SIZE_MAX) {
      throw new CodedError(
        'bad_data',
        `the formatted expression would be longer than ${FORMATTED_SIZE_MAX} characters`,
      );
    }
    this.#parts.push(text);
  }
}
