import { unreachable } from '../../util/assert.ts';
import type { InvariantPlan, PlanNode } from './plan.ts';

/** Functions whose result depends on the time of the step even when their arguments do not. */
const TIME_DEPENDENT: ReadonlySet<string> = new Set([
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'time',
  'timestamp',
]);

/**
 * Wraps the largest subtrees whose result is the same at every step, so that they are evaluated once. Subtrees in a
 * subquery are looked at by themselves: they have other steps.
 */
export function markInvariant(node: PlanNode): PlanNode {
  return isInvariant(node) ? wrap(markWithinSubqueries(node)) : markChildren(node);
}

function wrap(node: PlanNode): PlanNode {
  // A literal costs nothing; a range has no steps of its own: its window is fixed by its reference.
  if (node.type === 'number' || node.type === 'string' || node.valueType === 'matrix') return node;
  return { type: 'invariant', valueType: node.valueType, span: node.span, input: node } satisfies InvariantPlan;
}

function isInvariant(node: PlanNode): boolean {
  switch (node.type) {
    case 'number':
    case 'string':
    case 'invariant':
      return true;
    case 'selector':
      return node.reference.atMs !== undefined;
    case 'range':
      return node.selector.reference.atMs !== undefined;
    case 'subquery':
      return node.reference.atMs !== undefined;
    case 'aggregate':
      return isInvariant(node.input) && (node.param === undefined || isInvariant(node.param));
    case 'call':
      if (node.name === 'timestamp' && node.args[0]?.type === 'selector') return isInvariant(node.args[0]);
      return !TIME_DEPENDENT.has(node.name) && node.args.every(isInvariant);
    case 'negate':
      return isInvariant(node.input);
    case 'binary':
      return isInvariant(node.lhs) && isInvariant(node.rhs);
    default:
      return unreachable(node);
  }
}

function markChildren(node: PlanNode): PlanNode {
  return mapChildren(node, markInvariant);
}

function markWithinSubqueries(node: PlanNode): PlanNode {
  return node.type === 'subquery' ? markChildren(node) : mapChildren(node, markWithinSubqueries);
}

/** The node with `fn` applied to the nodes it is computed from. */
function mapChildren(node: PlanNode, fn: (child: PlanNode) => PlanNode): PlanNode {
  switch (node.type) {
    case 'number':
    case 'string':
    case 'selector':
    case 'range':
      return node;
    case 'subquery':
      return { ...node, inner: fn(node.inner) };
    case 'aggregate':
      return { ...node, input: fn(node.input), param: node.param === undefined ? undefined : fn(node.param) };
    case 'call':
      return { ...node, args: node.args.map(keepSelectorOfTimestamp(node.name, fn)) };
    case 'negate':
    case 'invariant':
      return { ...node, input: fn(node.input) };
    case 'binary':
      return { ...node, lhs: fn(node.lhs), rhs: fn(node.rhs) };
    default:
      return unreachable(node);
  }
}

/** timestamp() and the like look at the selector itself, so it must stay their direct argument. */
function keepSelectorOfTimestamp(name: string, fn: (child: PlanNode) => PlanNode): (child: PlanNode) => PlanNode {
  return (child) => (TAKES_SELECTOR.has(name) && child.type === 'selector' ? child : fn(child));
}

const TAKES_SELECTOR: ReadonlySet<string> = new Set([
  'timestamp',
  'absent',
  'absent_over_time',
  'info',
  'start_timestamp',
]);
