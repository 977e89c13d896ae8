import { METRIC_NAME, quoteGo } from '../../model/labels.ts';
import type { Span } from '../../model/annotations.ts';
import { functionSignature } from '../functions/signatures.ts';
import { must, unreachable } from '../../util/assert.ts';
import type {
  Aggregation,
  BinaryExpr,
  BinaryOp,
  Call,
  Expr,
  ValueType,
  VectorMatching,
  VectorSelector,
} from './ast.ts';
import { ParseError } from './errors.ts';

/** Types as messages name them. */
const TYPE_TEXT: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};

/** What an expression evaluates to. */
export function typeOf(expr: Expr): ValueType {
  let node = expr;
  for (;;) {
    switch (node.type) {
      case 'numberLiteral':
        return 'scalar';
      case 'stringLiteral':
        return 'string';
      case 'vectorSelector':
      case 'aggregation':
        return 'vector';
      case 'matrixSelector':
      case 'subquery':
        return 'matrix';
      case 'call':
        return must(functionSignature(node.name), node.name).returns;
      case 'parenExpr':
      case 'unaryExpr':
        node = node.expr;
        break;
      case 'binaryExpr':
        if (typeOf(node.rhs) !== 'scalar') return 'vector';
        node = node.lhs;
        if (node.type !== 'binaryExpr') return typeOf(node) === 'scalar' ? 'scalar' : 'vector';
        break;
      default:
        return unreachable(node);
    }
  }
}

/** The type as error messages name it: `instant vector`, `range vector`. */
export function typeText(type: ValueType): string {
  return TYPE_TEXT[type];
}

const isComparison = (op: BinaryOp): boolean =>
  op === '==' || op === '!=' || op === '<' || op === '<=' || op === '>' || op === '>=';
const isSetOp = (op: BinaryOp): boolean => op === 'and' || op === 'or' || op === 'unless';

/**
 * Checks the types of a finished tree, in Prometheus' order, and throws its first complaint as a ParseError.
 * `misplaced` has the matchings that were written on operators without two vectors.
 */
export function checkExpr(expr: Expr, text: string, misplaced: ReadonlyMap<BinaryExpr, VectorMatching>): void {
  new Checker(text, misplaced).check(expr);
}

class Checker {
  readonly #text: string;
  readonly #misplaced: ReadonlyMap<BinaryExpr, VectorMatching>;

  constructor(text: string, misplaced: ReadonlyMap<BinaryExpr, VectorMatching>) {
    this.#text = text;
    this.#misplaced = misplaced;
  }

  check(expr: Expr): ValueType {
    switch (expr.type) {
      case 'numberLiteral':
        return 'scalar';
      case 'stringLiteral':
        return 'string';
      case 'vectorSelector':
        this.#checkSelector(expr);
        return 'vector';
      case 'matrixSelector':
        this.#checkSelector(expr.selector);
        return 'matrix';
      case 'subquery': {
        const type = this.check(expr.expr);
        if (type !== 'vector') this.#fail(`subquery is only allowed on instant vector, got ${type} instead`, expr.span);
        return 'matrix';
      }
      case 'aggregation':
        return this.#checkAggregation(expr);
      case 'call':
        return this.#checkCall(expr);
      case 'parenExpr':
        return this.check(expr.expr);
      case 'unaryExpr': {
        const type = this.check(expr.expr);
        if (type !== 'scalar' && type !== 'vector') {
          const only = 'unary expression only allowed on expressions of type scalar or instant vector';
          this.#fail(`${only}, got "${typeText(type)}"`, expr.span);
        }
        return type;
      }
      case 'binaryExpr':
        return this.#checkChain(expr);
      default:
        return unreachable(expr);
    }
  }

  /** Left operands in a loop: a chain of thousands of operators is as deep as it is long. */
  #checkChain(expr: BinaryExpr): ValueType {
    const chain: BinaryExpr[] = [];
    let node: Expr = expr;
    while (node.type === 'binaryExpr') {
      chain.push(node);
      node = node.lhs;
    }
    let type = this.check(node);
    for (let i = chain.length - 1; i >= 0; i--) type = this.#checkBinary(chain[i]!, type, this.check(chain[i]!.rhs));
    return type;
  }

  #checkBinary(node: BinaryExpr, left: ValueType, right: ValueType): ValueType {
    const { op } = node;
    const bothScalar = left === 'scalar' && right === 'scalar';
    if (node.bool && !isComparison(op)) {
      this.#failAtOperator('bool modifier can only be used on comparison operators', node);
    }
    if (isComparison(op) && !node.bool && bothScalar) {
      this.#failAtOperator('comparisons between scalars must use BOOL modifier', node);
    }
    const matching = node.matching ?? this.#misplaced.get(node);
    if (matching?.on) {
      const both = matching.labels.find((label) => matching.include.includes(label));
      if (both !== undefined) {
        this.#failAtOperator(`label ${quoteGo(both)} must not occur in ON and GROUP clause at once`, node);
      }
    }
    this.#checkOperand(left, node.lhs.span);
    this.#checkOperand(right, node.rhs.span);
    if (matching) this.#checkMatching(node, matching);
    if ((left === 'scalar' || right === 'scalar') && isSetOp(op)) {
      this.#fail(`set operator "${op}" not allowed in binary scalar expression`, node.span);
    }
    return bothScalar ? 'scalar' : 'vector';
  }

  #checkOperand(type: ValueType, span: Span): void {
    if (type === 'scalar' || type === 'vector') return;
    this.#fail('binary expression must contain only scalar and instant vector types', span);
  }

  #checkMatching(node: BinaryExpr, matching: VectorMatching): void {
    const hasFill = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (!node.matching) {
      if (matching.labels.length > 0) this.#fail('vector matching only allowed between instant vectors', node.span);
      if (hasFill) this.#fail('filling in missing series only allowed between instant vectors', node.span);
    } else if (isSetOp(node.op)) {
      if (matching.card !== 'many-to-many') this.#fail(`no grouping allowed for "${node.op}" operation`, node.span);
      if (hasFill) this.#fail('filling in missing series not allowed for set operators', node.span);
    }
  }

  #checkAggregation(node: Aggregation): ValueType {
    this.#expect(node.expr, 'vector', 'aggregation expression');
    if (node.param) {
      this.#expect(node.param, node.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
    }
    return 'vector';
  }

  #checkCall(node: Call): ValueType {
    const signature = must(functionSignature(node.name), node.name);
    const { args } = node;
    this.#checkCount(node, signature.args.length, signature.variadic);
    if (node.name === 'info' && args[1]) this.#checkInfoSelector(args[1], node.span);
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (node.name === 'info' && i === 1) continue;
      this.#expect(arg, signature.args[Math.min(i, signature.args.length - 1)]!, `call to function "${node.name}"`);
    }
    return signature.returns;
  }

  #checkCount(node: Call, declared: number, variadic: number): void {
    const count = node.args.length;
    const tail = `argument(s) in call to "${node.name}", got ${count}`;
    if (variadic === 0) {
      if (count !== declared) this.#fail(`expected ${declared} ${tail}`, node.span);
      return;
    }
    const least = declared - 1;
    if (count < least) this.#fail(`expected at least ${least} ${tail}`, node.span);
    if (variadic > 0 && count > least + variadic) this.#fail(`expected at most ${least + variadic} ${tail}`, node.span);
  }

  /** The second argument of info() picks labels; it is no selector of its own and may match everything. */
  #checkInfoSelector(arg: Expr, callSpan: Span): void {
    const type = typeOf(arg);
    if (type !== 'vector') {
      this.#fail(`expected type instant vector in call to function "info", got ${typeText(type)}`, callSpan);
    }
    if (arg.type !== 'vectorSelector') this.#fail('expected label selectors only', arg.span);
    if (arg.name !== '') {
      this.#fail('expected label selectors only, got vector selector instead', arg.span);
    }
  }

  #checkSelector(selector: VectorSelector): void {
    const { name, matchers } = selector;
    if (name !== '') {
      const other = matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME);
      if (other) {
        const names = `${quoteGo(name)} or ${quoteGo(other.value)}`;
        this.#fail(`metric name must not be set twice: ${names}`, selector.span);
      }
      return;
    }
    if (!matchers.some((matcher) => !matcher.matches(''))) {
      this.#fail('vector selector must contain at least one non-empty matcher', selector.span);
    }
  }

  #expect(expr: Expr, want: ValueType, context: string): void {
    const type = this.check(expr);
    if (type === want) return;
    this.#fail(`expected type ${typeText(want)} in ${context}, got ${typeText(type)}`, expr.span);
  }

  #failAtOperator(detail: string, node: BinaryExpr): never {
    let start = node.lhs.span.end;
    while (' \t\r\n'.includes(this.#text[start] ?? 'x')) start++;
    return this.#fail(detail, { start, end: node.rhs.span.start });
  }

  #fail(detail: string, span: Span): never {
    throw new ParseError(detail, span, this.#text);
  }
}
