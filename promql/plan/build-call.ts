import { Labels, METRIC_NAME } from '../../model/labels.ts';
import { must } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';
import { ANCHORED_KERNELS, SMOOTHED_KERNELS } from '../functions/extended-rate.ts';
import { rangeHistogramFunction } from '../functions/histogram-extended.ts';
import { labelJoin, labelReplace, type LabelFunction } from '../functions/label.ts';
import { DATE_FUNCTION_NAMES, MAP_FUNCTIONS } from '../functions/map-functions.ts';
import type { HistogramMap } from '../functions/map-function.ts';
import { HISTOGRAM_MAPS } from '../functions/math.ts';
import { byLabels, byValue } from '../functions/sort.ts';
import type { RangeFunction } from '../functions/range-function.ts';
import { RANGE_FUNCTIONS } from '../functions/range-functions.ts';
import { AbsentOperator } from '../operator/absent.ts';
import { HistogramNotes } from '../operator/histogram-notes.ts';
import { InfoOperator } from '../operator/info.ts';
import type { Operator, SeriesList } from '../operator/operator.ts';
import { RangeCallOperator } from '../operator/range-call.ts';
import { RelabelOperator } from '../operator/relabel.ts';
import { ScalarOfVectorOperator, type ScalarFunction } from '../operator/scalar.ts';
import { SortOperator, type RowOrder } from '../operator/sort.ts';
import { createWindows } from '../operator/windows.ts';
import type { StepAxis } from '../value.ts';
import type { Builder } from './build.ts';
import { buildHistogramCall } from './build-histogram.ts';
import type { CallPlan, PlanNode, RangePlan, SubqueryPlan } from './plan.ts';

/** The operator of a function call. */
export function buildCall(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const special = SPECIAL_CALLS.get(node.name);
  if (special !== undefined) return special(builder, node, axis);
  const range = node.args.find(isRange);
  if (range !== undefined) return buildRangeCall(builder, node, range, axis);
  return buildMapCall(builder, node, axis);
}

type CallBuilder = (builder: Builder, node: CallPlan, axis: StepAxis) => Operator;

/** Functions that are not a kernel over samples or windows. */
const SPECIAL_CALLS: ReadonlyMap<string, CallBuilder> = new Map<string, CallBuilder>([
  ['time', (builder, _node, axis) => builder.scalar(axis, stepSeconds, [])],
  ['vector', (builder, node, axis) => builder.build(argument(node, 0), axis)],
  ['scalar', buildScalar],
  ['max_of', (builder, node, axis) => builder.scalar(axis, (a, b) => Math.max(a, b), node.args)],
  ['min_of', (builder, node, axis) => builder.scalar(axis, (a, b) => Math.min(a, b), node.args)],
  ['absent', buildAbsent],
  ['absent_over_time', buildAbsentOverTime],
  ['timestamp', buildTimestamp],
  ['label_replace', (builder, node, axis) => buildLabelCall(builder, node, axis, labelReplace)],
  ['sort', (builder, node, axis) => buildSort(builder, node, axis, byValue(false))],
  ['sort_desc', (builder, node, axis) => buildSort(builder, node, axis, byValue(true))],
  ['sort_by_label', (builder, node, axis) => buildSort(builder, node, axis, byLabels(textArguments(node), false))],
  ['sort_by_label_desc', (builder, node, axis) => buildSort(builder, node, axis, byLabels(textArguments(node), true))],
  ['histogram_quantile', buildHistogramCall],
  ['histogram_quantiles', buildHistogramCall],
  ['histogram_fraction', buildHistogramCall],
  ['info', buildInfo],
  ['label_join', (builder, node, axis) => buildLabelCall(builder, node, axis, labelJoin)],
]);

const stepSeconds: ScalarFunction = (_a, _b, timeMs) => timeMs / 1000;

function argument(node: CallPlan, index: number): PlanNode {
  return must(node.args[index], `argument ${index} of ${node.name}`);
}

function isRange(node: PlanNode): node is RangePlan | SubqueryPlan {
  return node.type === 'range' || node.type === 'subquery';
}

function buildScalar(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  return new ScalarOfVectorOperator(builder.evaluation, builder.build(argument(node, 0), axis), axis.count);
}

function buildAbsent(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const input = argument(node, 0);
  return new AbsentOperator(builder.evaluation, builder.build(input, axis), absentLabels(input), axis.count);
}

function buildAbsentOverTime(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const range = must(node.args.find(isRange), 'range of absent_over_time');
  const present = rangeCall(builder, { ...node, name: 'present_over_time' }, range, axis);
  return new AbsentOperator(builder.evaluation, present, absentLabels(range), axis.count);
}

/** Labels of what is absent: those that a selector asks for by equality, and by nothing else. */
function absentLabels(input: PlanNode): Labels {
  const selector = input.type === 'range' ? input.selector : input;
  if (selector.type !== 'selector') return Labels.EMPTY;
  const values = new Map<string, string>();
  const dropped = new Set<string>();
  for (const { name, type, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (type === '=' && !values.has(name) && !dropped.has(name)) values.set(name, value);
    else dropped.add(name);
  }
  for (const name of dropped) values.delete(name);
  return Labels.fromPairs(values);
}

/** Of a selector, the times of its samples; of anything else, those of the steps. */
function buildTimestamp(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const input = argument(node, 0);
  if (input.type !== 'selector') return buildMapCall(builder, node, axis);
  const source = builder.buildSelector(input, axis, true);
  return builder.map(input, axis, { kernel: () => undefined, params: [], keepsName: false, source });
}

function buildLabelCall(
  builder: Builder,
  node: CallPlan,
  axis: StepAxis,
  factory: (args: readonly string[]) => LabelFunction,
): Operator {
  const source = builder.build(argument(node, 0), axis);
  return builder.distinct(new RelabelOperator(builder.evaluation, source, factory(textArguments(node))), axis);
}

function buildInfo(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const wanted = argument(node, 1);
  if (wanted.type !== 'selector') throw new CodedError('execution', 'expected label selectors only');
  const operator = new InfoOperator(builder.evaluation, {
    base: builder.build(argument(node, 0), axis),
    info: builder.buildSelector(wanted, axis, true, () => {
      throw new CodedError('execution', 'info sample should be float');
    }),
    matchers: wanted.matchers,
    stepCount: axis.count,
  });
  return builder.distinct(operator, axis);
}

/** All arguments but the first, which are strings. */
function textArguments(node: CallPlan): string[] {
  return node.args.slice(1).map((arg) => (arg.type === 'string' ? arg.value : ''));
}

/** An order is for instant queries: matrices are always ordered by labels. */
function buildSort(builder: Builder, node: CallPlan, axis: StepAxis, order: RowOrder): Operator {
  const { evaluation } = builder;
  if (evaluation.isRangeQuery) {
    evaluation.warn('sort is ineffective for range queries since results are always ordered by labels', node.span);
  }
  const source = builder.build(argument(node, 0), axis);
  const floatsOnly = !node.name.startsWith('sort_by_label');
  if (axis.count === 1) return new SortOperator(evaluation, source, order, floatsOnly);
  if (!floatsOnly) return source;
  return builder.map(node, axis, { kernel: () => undefined, params: [], keepsName: true, source });
}

function buildMapCall(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const kernel = must(MAP_FUNCTIONS.get(node.name), `function ${node.name}`);
  const vector = node.args.find((arg) => arg.valueType === 'vector');
  const params = node.args.filter((arg) => arg.valueType === 'scalar');
  const histogramMap = node.name === 'timestamp' ? timestampMap(axis) : HISTOGRAM_MAPS.get(node.name);
  if (vector !== undefined) return builder.map(vector, axis, { kernel, histogramMap, params, keepsName: false });
  // Calendar functions without an argument work on the time of the step.
  const source = builder.scalar(axis, stepSeconds, []);
  must(DATE_FUNCTION_NAMES.has(node.name) || undefined, `vector of ${node.name}`);
  return builder.map(node, axis, { kernel, params: [], keepsName: true, source });
}

function timestampMap(axis: StepAxis): HistogramMap {
  return (_histogram, step) => (axis.startMs + step * axis.stepMs) / 1000;
}

function buildRangeCall(builder: Builder, node: CallPlan, range: RangePlan | SubqueryPlan, axis: StepAxis): Operator {
  const call = rangeCall(builder, node, range, axis);
  const keepsName = RANGE_FUNCTIONS.get(node.name)?.keepsName === true;
  return keepsName ? call : builder.afterNameDrop(call, range, axis, false);
}

function rangeCall(
  builder: Builder,
  node: CallPlan,
  range: RangePlan | SubqueryPlan,
  axis: StepAxis,
): RangeCallOperator {
  const params = node.args.filter((arg) => arg.valueType === 'scalar');
  const reference = range.type === 'range' ? range.selector.reference : range.reference;
  const extension = range.type === 'range' ? range.selector.extension : undefined;
  const { lookbackMs } = builder.evaluation;
  return new RangeCallOperator(builder.evaluation, {
    fn: rangeFunction(node.name, extension),
    histogramFn: rangeHistogramFunction(node.name, extension),
    notes: new HistogramNotes(builder.evaluation, range.span),
    source: builder.buildRange(range, axis),
    windows: createWindows(axis, reference, range.rangeMs, {
      backMs: extension === undefined ? 0 : lookbackMs,
      aheadMs: extension === 'smoothed' ? lookbackMs : 0,
    }),
    params: builder.scalars(params, axis),
    onParams: node.name === 'quantile_over_time' ? quantileCheck(builder, params[0]) : undefined,
    onResult: COUNTER_FUNCTIONS.has(node.name) ? counterNameCheck(builder, range) : undefined,
  });
}

/** Of `anchored` and `smoothed` ranges only some functions are defined. */
function rangeFunction(name: string, extension: 'anchored' | 'smoothed' | undefined): RangeFunction {
  if (extension === undefined) return must(RANGE_FUNCTIONS.get(name), `function ${name}`);
  const kernels = extension === 'anchored' ? ANCHORED_KERNELS : SMOOTHED_KERNELS;
  const kernel = kernels.get(name);
  if (kernel !== undefined) return { kernel, keepsName: false };
  const names = [...kernels.keys()].join(', ');
  throw new CodedError('execution', `${extension} modifier can only be used with: ${names} - not with ${name}`);
}

function quantileCheck(builder: Builder, param: PlanNode | undefined): (columns: readonly Float64Array[]) => void {
  return ([quantiles]) => {
    if (param !== undefined && quantiles !== undefined) builder.warnOfQuantiles(param, quantiles);
  };
}

const COUNTER_FUNCTIONS: ReadonlySet<string> = new Set(['rate', 'increase']);
const COUNTER_SUFFIXES = ['_total', '_sum', '_count', '_bucket'];

function counterNameCheck(builder: Builder, range: PlanNode): (series: SeriesList, index: number) => void {
  let lastChecked = '';
  return (series, index) => {
    const name = series.labels(index).metricName;
    if (name === lastChecked) return;
    lastChecked = name;
    if (COUNTER_SUFFIXES.some((suffix) => name.endsWith(suffix))) return;
    builder.evaluation.info(
      `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "${name}"`,
      range.span,
    );
  };
}
