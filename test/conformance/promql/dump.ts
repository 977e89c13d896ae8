import type { Span } from '../../../model/annotations.ts';
import type { DurationExpr, Expr, TimeShift, VectorSelector } from '../../../promql/parse/ast.ts';
import { byteSpan } from '../../../promql/parse/errors.ts';

type Dump = Record<string, unknown>;

const OPERATORS: Readonly<Record<string, string>> = {
  '+': 'ADD',
  '-': 'SUB',
  '*': 'MUL',
  '/': 'DIV',
  '%': 'MOD',
  '^': 'POW',
  '==': 'EQLC',
  '!=': 'NEQ',
  '<': 'LSS',
  '<=': 'LTE',
  '>': 'GTR',
  '>=': 'GTE',
  '</': 'TRIM_UPPER',
  '>/': 'TRIM_LOWER',
  and: 'LAND',
  or: 'LOR',
  unless: 'LUNLESS',
};

/** Our tree in the shape in which the reference cases dump Prometheus' tree: zero fields left out, spans in bytes. */
export function dumpExpr(expr: Expr, text: string): Dump {
  return new Dumper(text).expr(expr);
}

class Dumper {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  expr(node: Expr): Dump {
    switch (node.type) {
      case 'numberLiteral': {
        const { value } = node;
        const special = Number.isFinite(value)
          ? value
          : String(value).replace(/^(-?)Infinity/, (_, s: string) => `${s || '+'}Inf`);
        return {
          ...clean({ node: 'NumberLiteral', pos: this.#pos(node.span), Duration: node.isDuration }),
          Val: special,
        };
      }
      case 'stringLiteral':
        return { node: 'StringLiteral', pos: this.#pos(node.span), Val: node.value.toWellFormed() };
      case 'vectorSelector':
        return this.#selector(node);
      case 'matrixSelector':
        return clean({
          node: 'MatrixSelector',
          EndPos: this.#pos(node.span)[1],
          VectorSelector: this.#selector(node.selector),
          ...this.#duration('Range', node.range),
        });
      case 'subquery':
        return clean({
          node: 'SubqueryExpr',
          EndPos: this.#pos(node.span)[1],
          Expr: this.expr(node.expr),
          ...this.#duration('Range', node.range),
          ...(node.step ? this.#duration('Step', node.step) : {}),
          ...this.#shift(node.shift),
        });
      case 'aggregation':
        return clean({
          node: 'AggregateExpr',
          pos: this.#pos(node.span),
          Op: node.op.toUpperCase(),
          Expr: this.expr(node.expr),
          Param: node.param && this.expr(node.param),
          Grouping: node.grouping,
          Without: node.without,
        });
      case 'call':
        return {
          node: 'Call',
          pos: this.#pos(node.span),
          Func: node.name,
          Args: node.args.map((arg) => this.expr(arg)),
        };
      case 'parenExpr':
        return { node: 'ParenExpr', pos: this.#pos(node.span), Expr: this.expr(node.expr) };
      case 'unaryExpr':
        return clean({
          node: 'UnaryExpr',
          Op: OPERATORS[node.op],
          Expr: this.expr(node.expr),
          StartPos: this.#pos(node.span)[0],
        });
      case 'binaryExpr':
        return clean({
          node: 'BinaryExpr',
          Op: OPERATORS[node.op] ?? node.op.toUpperCase(),
          LHS: this.expr(node.lhs),
          RHS: this.expr(node.rhs),
          ReturnBool: node.bool,
          VectorMatching: node.matching && {
            node: 'VectorMatching',
            ...clean({
              Card: node.matching.card === 'one-to-one' ? '' : node.matching.card,
              On: node.matching.on,
              MatchingLabels: node.matching.labels,
              Include: node.matching.include,
            }),
          },
        });
    }
  }

  #selector(node: VectorSelector): Dump {
    return clean({
      node: 'VectorSelector',
      pos: this.#pos(node.span),
      Name: node.name,
      LabelMatchers: node.matchers.map(({ name, type, value }) => ({ name, op: type, value })),
      Anchored: node.extension === 'anchored',
      Smoothed: node.extension === 'smoothed',
      ...this.#shift(node.shift),
    });
  }

  #shift({ offset, at }: TimeShift): Dump {
    const dumped: Dump = offset ? this.#duration('OriginalOffset', offset) : {};
    if (at?.kind === 'time') dumped['Timestamp'] = at.timeMs;
    else if (at) dumped['StartOrEnd'] = at.kind.toUpperCase();
    return dumped;
  }

  #duration(field: string, expr: DurationExpr): Dump {
    if (expr.type === 'durationLiteral') return { [field]: expr.valueMs * 1e6 };
    return { [`${field}Expr`]: this.#durationExpr(expr) };
  }

  #durationExpr(expr: DurationExpr): Dump {
    const [start, end] = this.#pos(expr.span);
    switch (expr.type) {
      case 'durationLiteral':
        return { ...clean({ node: 'NumberLiteral', pos: [start, end], Duration: !expr.isNumber }), Val: expr.seconds };
      case 'durationCall':
        return { node: 'DurationExpr', Op: expr.name.toUpperCase(), StartPos: start, EndPos: end };
      case 'durationUnary':
        return { node: 'DurationExpr', Op: OPERATORS[expr.op], RHS: this.#durationExpr(expr.operand), StartPos: start };
      case 'durationBinary': {
        const both = { LHS: this.#durationExpr(expr.lhs), RHS: this.#durationExpr(expr.rhs) };
        if (!expr.op.endsWith('_of')) return { node: 'DurationExpr', Op: OPERATORS[expr.op], ...both };
        return { node: 'DurationExpr', Op: expr.op.toUpperCase(), ...both, StartPos: start, EndPos: end };
      }
      case 'durationParen': {
        const inner = this.#durationExpr(expr.inner);
        if (expr.inner.type !== 'durationLiteral') return { ...inner, Wrapped: true };
        return { node: 'DurationExpr', Op: 'ADD', RHS: inner, Wrapped: true, StartPos: start, EndPos: end };
      }
    }
  }

  #pos(span: Span): [number, number] {
    const { start, end } = byteSpan(this.#text, span);
    return [start, end];
  }
}

/** Without fields that are zero in the sense of the dumps. */
function clean(fields: Dump): Dump {
  const kept = Object.entries(fields).filter(([, value]) => {
    return value !== undefined && value !== false && value !== 0 && value !== '';
  });
  return Object.fromEntries(kept);
}
