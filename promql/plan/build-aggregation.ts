import type { Operator } from '../operator/operator.ts';
import type { StepAxis } from '../value.ts';
import type { Builder } from './build.ts';
import type { AggregatePlan } from './plan.ts';

/** Aggregations with a parameter. */
export function buildAggregation(builder: Builder, node: AggregatePlan, axis: StepAxis): Operator {
  return builder.build(node.input, axis);
}
