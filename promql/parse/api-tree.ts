import type { Matcher } from '../../model/matcher.ts';
import { must, unreachable } from '../../util/assert.ts';
import { formatFloatF } from '../../util/decimal.ts';
import { functionSignature } from '../functions/signatures.ts';
import type { BinaryExpr, DurationExpr, Expr, TimeShift, VectorMatching, VectorSelector } from './ast.ts';

/** A node as JSON; `null` where Prometheus writes null. */
export type ApiNode = Readonly<Record<string, unknown>>;

/** The tree in the shape in which `/api/v1/parse_query` answers, which Prometheus' own pages read. Durations in ms. */
export function toApiTree(expr: Expr): ApiNode {
  switch (expr.type) {
    case 'numberLiteral':
      return { type: 'numberLiteral', val: formatFloatF(expr.value) };
    case 'stringLiteral':
      return { type: 'stringLiteral', val: expr.value };
    case 'vectorSelector':
      return { type: 'vectorSelector', ...selectorFields(expr) };
    case 'matrixSelector':
      return { type: 'matrixSelector', ...selectorFields(expr.selector), ...durationFields('range', expr.range) };
    case 'subquery':
      return {
        type: 'subquery',
        expr: toApiTree(expr.expr),
        ...durationFields('range', expr.range),
        ...durationFields('step', expr.step),
        ...shiftFields(expr.shift),
      };
    case 'aggregation':
      return {
        type: 'aggregation',
        op: expr.op,
        expr: toApiTree(expr.expr),
        param: expr.param ? toApiTree(expr.param) : null,
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'call': {
      const { args, variadic, returns } = must(functionSignature(expr.name), expr.name);
      const func = { name: expr.name, argTypes: args, variadic, returnType: returns };
      return { type: 'call', func, args: expr.args.map(toApiTree) };
    }
    case 'parenExpr':
      return { type: 'parenExpr', expr: toApiTree(expr.expr) };
    case 'unaryExpr':
      return { type: 'unaryExpr', op: expr.op, expr: toApiTree(expr.expr) };
    case 'binaryExpr':
      return chainNode(expr);
    default:
      return unreachable(expr);
  }
}

/** Left operands in a loop: a chain of thousands of operators is as deep as it is long. */
function chainNode(expr: BinaryExpr): ApiNode {
  const chain: BinaryExpr[] = [];
  let first: Expr = expr;
  while (first.type === 'binaryExpr') {
    chain.push(first);
    first = first.lhs;
  }
  let node = toApiTree(first);
  for (let i = chain.length - 1; i >= 0; i--) {
    const { op, rhs, bool, matching } = chain[i]!;
    node = { type: 'binaryExpr', op, lhs: node, rhs: toApiTree(rhs), matching: matchingNode(matching), bool };
  }
  return node;
}

function matchingNode(matching: VectorMatching | undefined): ApiNode | null {
  if (!matching) return null;
  const { card, labels, on, include, fillLeft, fillRight } = matching;
  return { card, labels, on, include, fillValues: { lhs: fillLeft ?? null, rhs: fillRight ?? null } };
}

function selectorFields(selector: VectorSelector): ApiNode {
  return {
    name: selector.name,
    matchers: selector.matchers.map(({ name, value, type }: Matcher) => ({ name, value, type })),
    anchored: selector.extension === 'anchored',
    smoothed: selector.extension === 'smoothed',
    ...shiftFields(selector.shift),
  };
}

function shiftFields({ offset, at }: TimeShift): ApiNode {
  return {
    ...durationFields('offset', offset),
    timestamp: at?.kind === 'time' ? at.timeMs : null,
    startOrEnd: at && at.kind !== 'time' ? at.kind : null,
  };
}

/** A plain duration is a number; an expression leaves the number 0. */
function durationFields(field: string, duration: DurationExpr | undefined): ApiNode {
  if (!duration) return { [field]: 0, [`${field}Expr`]: null };
  if (duration.type === 'durationLiteral') return { [field]: Math.trunc(duration.valueMs), [`${field}Expr`]: null };
  return { [field]: 0, [`${field}Expr`]: durationNode(duration, false) };
}

function durationNode(expr: DurationExpr, wrapped: boolean): ApiNode {
  switch (expr.type) {
    case 'durationLiteral': {
      const literal = { type: 'numberLiteral', val: formatFloatF(expr.seconds), duration: !expr.isNumber };
      return wrapped ? { type: 'durationExpr', op: '+', lhs: null, rhs: literal, wrapped } : literal;
    }
    case 'durationCall':
      return { type: 'durationExpr', op: expr.name, lhs: null, rhs: null, wrapped };
    case 'durationUnary':
      return { type: 'durationExpr', op: expr.op, lhs: null, rhs: durationNode(expr.operand, false), wrapped };
    case 'durationBinary': {
      const lhs = durationNode(expr.lhs, false);
      return { type: 'durationExpr', op: expr.op, lhs, rhs: durationNode(expr.rhs, false), wrapped };
    }
    case 'durationParen':
      return durationNode(expr.inner, true);
    default:
      return unreachable(expr);
  }
}
