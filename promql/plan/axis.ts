import { unreachable } from '../../util/assert.ts';
import { referenceTimes } from '../operator/vector-selector.ts';
import type { StepAxis } from '../value.ts';
import type { PlanNode, SubqueryPlan } from './plan.ts';

/** The time of each step, ms. */
export function stepTimesOf(axis: StepAxis): Float64Array {
  return referenceTimes(axis, { atMs: undefined, offsetMs: 0 });
}

/** First and last time an axis looks from, given a selector's reference. */
function referenceBounds(axis: StepAxis, reference: SubqueryPlan['reference']): { first: number; last: number } {
  const { atMs, offsetMs } = reference;
  if (atMs !== undefined) return { first: atMs - offsetMs, last: atMs - offsetMs };
  return { first: axis.startMs - offsetMs, last: axis.startMs + (axis.count - 1) * axis.stepMs - offsetMs };
}

/**
 * The steps at which a subquery evaluates its expression: multiples of its own step, the first one after the left end
 * of the first window, the last one not after the right end of the last. `count` may be 0.
 */
export function subqueryAxis(node: SubqueryPlan, axis: StepAxis): StepAxis {
  const { first, last } = referenceBounds(axis, node.reference);
  const { stepMs } = node;
  const startMs = (Math.floor((first - node.rangeMs) / stepMs) + 1) * stepMs;
  return { startMs, stepMs, count: Math.max(0, Math.floor((last - startMs) / stepMs) + 1) };
}

/** The axis on which the input of an invariant node is evaluated. */
export function singleStep(axis: StepAxis): StepAxis {
  return { startMs: axis.startMs, stepMs: 0, count: 1 };
}

export interface TimeBounds {
  /** Inclusive, ms. */
  readonly minMs: number;
  readonly maxMs: number;
}

/** What a selector reads for one axis. */
export function selectorBounds(
  node: Extract<PlanNode, { type: 'selector' | 'range' }>,
  axis: StepAxis,
  lookbackMs: number,
): TimeBounds {
  const selector = node.type === 'range' ? node.selector : node;
  const { first, last } = referenceBounds(axis, selector.reference);
  const backMs = node.type === 'range' ? node.rangeMs : lookbackMs;
  const extraBackMs = node.type === 'range' && selector.extension !== undefined ? lookbackMs : 0;
  const aheadMs = selector.extension === 'smoothed' ? lookbackMs : 0;
  return { minMs: first - backMs - extraBackMs + 1, maxMs: last + aheadMs };
}

/** What all selectors of a plan read; min is above max when there are none. */
export function planBounds(node: PlanNode, axis: StepAxis, lookbackMs: number): TimeBounds {
  if (axis.count === 0) return NO_TIME;
  switch (node.type) {
    case 'number':
    case 'string':
      return NO_TIME;
    case 'selector':
    case 'range':
      return selectorBounds(node, axis, lookbackMs);
    case 'subquery':
      return planBounds(node.inner, subqueryAxis(node, axis), lookbackMs);
    case 'invariant':
      return planBounds(node.input, singleStep(axis), lookbackMs);
    case 'negate':
      return planBounds(node.input, axis, lookbackMs);
    case 'aggregate': {
      const input = planBounds(node.input, axis, lookbackMs);
      return node.param === undefined ? input : union(input, planBounds(node.param, axis, lookbackMs));
    }
    case 'binary':
      return union(planBounds(node.lhs, axis, lookbackMs), planBounds(node.rhs, axis, lookbackMs));
    case 'call':
      return node.args.map((arg) => planBounds(arg, axis, lookbackMs)).reduce(union, NO_TIME);
    default:
      return unreachable(node);
  }
}

const NO_TIME: TimeBounds = { minMs: Infinity, maxMs: -Infinity };

function union(a: TimeBounds, b: TimeBounds): TimeBounds {
  return { minMs: Math.min(a.minMs, b.minMs), maxMs: Math.max(a.maxMs, b.maxMs) };
}
