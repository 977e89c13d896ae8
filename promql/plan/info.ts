import { METRIC_NAME } from '../../model/labels.ts';
import { Matcher } from '../../model/matcher.ts';
import type { TimeReference } from '../operator/vector-selector.ts';
import type { PlanNode, SelectorPlan } from './plan.ts';

const NOW: TimeReference = { atMs: undefined, offsetMs: 0 };

/**
 * The selector of the info series that info(base, wanted) joins: `target_info` unless `wanted` names metrics, looked at
 * as of the time at which the first selector in `base` is.
 */
export function infoSelector(base: PlanNode, wanted: PlanNode | undefined): SelectorPlan {
  const given = wanted?.type === 'selector' ? wanted.matchers : [];
  const names = given.filter(({ name }) => name === METRIC_NAME);
  const isNegative = names.every(({ type }) => type === '!=' || type === '!~');
  const added =
    names.length === 0
      ? [new Matcher('=', METRIC_NAME, 'target_info')]
      : isNegative
        ? [new Matcher('=~', METRIC_NAME, '.+_info')]
        : [];
  return {
    type: 'selector',
    valueType: 'vector',
    span: wanted?.span ?? base.span,
    matchers: [...given, ...added],
    reference: firstReference(base, NOW) ?? NOW,
    extension: undefined,
  };
}

/** Where the first selector of a node looks from, all subqueries around it included. */
function firstReference(node: PlanNode, outer: TimeReference): TimeReference | undefined {
  switch (node.type) {
    case 'selector':
      return within(outer, node.reference);
    case 'range':
      return within(outer, node.selector.reference);
    case 'subquery':
      return firstReference(node.inner, within(outer, node.reference));
    case 'aggregate':
    case 'negate':
    case 'invariant':
      return firstReference(node.input, outer);
    case 'binary':
      return firstReference(node.lhs, outer) ?? firstReference(node.rhs, outer);
    case 'call':
      for (const arg of node.args) {
        const found = firstReference(arg, outer);
        if (found !== undefined) return found;
      }
      return undefined;
    case 'number':
    case 'string':
      return undefined;
  }
}

/** An `@` inside replaces what is outside; offsets add up. */
function within(outer: TimeReference, inner: TimeReference): TimeReference {
  if (inner.atMs !== undefined) return inner;
  return { atMs: outer.atMs, offsetMs: outer.offsetMs + inner.offsetMs };
}
