import { quoteGo } from '../../model/labels.ts';
import { must, unreachable } from '../../util/assert.ts';
import { formatFloatG } from '../../util/decimal.ts';
import { CodedError } from '../../util/errors.ts';
import { hashFraction } from '../functions/label-hash.ts';
import { CountValuesOperator } from '../operator/count-values.ts';
import { CountFilter, LimitOperator, RatioFilter, type SampleFilter } from '../operator/limit.ts';
import { HistogramNotes } from '../operator/histogram-notes.ts';
import type { Operator } from '../operator/operator.ts';
import { QuantileOperator } from '../operator/quantile.ts';
import { ScalarReader } from '../operator/table.ts';
import { TopkOperator } from '../operator/topk.ts';
import type { StepAxis } from '../value.ts';
import type { Builder } from './build.ts';
import type { AggregatePlan } from './plan.ts';

/** Aggregations with a parameter. */
export function buildAggregation(builder: Builder, node: AggregatePlan, axis: StepAxis): Operator {
  const { op } = node;
  const { evaluation } = builder;
  const source = builder.build(node.input, axis);
  const stepCount = axis.count;
  const grouping = { labels: node.grouping, without: node.without };
  const param = must(node.param, `parameter of ${op}`);
  const notes = new HistogramNotes(evaluation, node.input.span);
  const onHistogram = (): void => notes.ignoredInAggregation(op);
  switch (op) {
    case 'topk':
    case 'bottomk':
      return new TopkOperator(evaluation, {
        source,
        param: builder.build(param, axis),
        grouping,
        wantsLargest: op === 'topk',
        stepCount,
        onHistogram,
      });
    case 'quantile':
      return new QuantileOperator(evaluation, {
        source,
        param: builder.build(param, axis),
        grouping,
        stepCount,
        onHistogram,
        onParam: (quantiles) => builder.warnOfQuantiles(param, quantiles),
      });
    case 'count_values': {
      const label = param.type === 'string' ? param.value : '';
      if (label === '' || !label.isWellFormed()) {
        throw new CodedError('execution', `invalid label name ${quoteGo(label)}`);
      }
      return new CountValuesOperator(evaluation, { source, label, grouping, stepCount });
    }
    case 'limitk':
    case 'limit_ratio': {
      const filter = op === 'limitk' ? new CountFilter(evaluation, grouping) : ratioFilter(builder, node);
      return new LimitOperator(evaluation, source, new ScalarReader(builder.build(param, axis), stepCount), filter);
    }
    case 'sum':
    case 'avg':
    case 'count':
    case 'min':
    case 'max':
    case 'group':
    case 'stddev':
    case 'stdvar':
      throw new Error(`BUG: ${op} has no parameter`);
    default:
      return unreachable(op);
  }
}

function ratioFilter(builder: Builder, node: AggregatePlan): SampleFilter {
  return new RatioFilter(hashFraction, (ratio, used) => {
    builder.evaluation.warn(
      `ratio value should be between -1 and 1, got ${formatFloatG(ratio)}, capping to ${formatFloatG(used)}`,
      node.param?.span ?? node.span,
    );
  });
}
