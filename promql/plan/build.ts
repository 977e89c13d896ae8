import type { SeriesSet, Querier } from '../../model/storage.ts';
import { must, unreachable } from '../../util/assert.ts';
import { formatFloatG } from '../../util/decimal.ts';
import { ARITHMETIC, COMPARISONS } from '../functions/binary.ts';
import type { HistogramMap, MapKernel } from '../functions/map-function.ts';
import { scalarBinaryKernel, scalarHistogramMap } from '../functions/scalar-binary.ts';
import { ACCUMULATORS } from '../operator/accumulators.ts';
import { AggregateOperator } from '../operator/aggregate.ts';
import { DistinctOperator, SAME_LABELSET } from '../operator/distinct.ts';
import { HistogramNotes } from '../operator/histogram-notes.ts';
import type { Evaluation } from '../operator/evaluation.ts';
import { MapCallOperator } from '../operator/map-call.ts';
import type { Operator } from '../operator/operator.ts';
import { CountedOperator, type CountKind } from '../operator/sample-count.ts';
import { EmptySource, MatrixSelectorSource, SubquerySource, type RangeSource } from '../operator/range-source.ts';
import { ScalarOperator, type ScalarFunction } from '../operator/scalar.ts';
import { SetBinaryOperator } from '../operator/set-binary.ts';
import { StepInvariantOperator } from '../operator/step-invariant.ts';
import { ScalarReaders } from '../operator/table.ts';
import { VectorBinaryOperator } from '../operator/vector-binary.ts';
import { VectorSelectorOperator } from '../operator/vector-selector.ts';
import type { StepAxis } from '../value.ts';
import { selectorBounds, singleStep, stepTimesOf, subqueryAxis, type TimeBounds } from './axis.ts';
import { buildAggregation } from './build-aggregation.ts';
import { buildCall } from './build-call.ts';
import { commonName } from './names.ts';
import type { AggregatePlan, BinaryPlan, PlanNode, RangePlan, SelectorPlan, SubqueryPlan } from './plan.ts';

/** What an operator allocates per step at least: a batch of one row, times, windows. */
const BYTES_PER_STEP = 32;

/** Makes the operators of a plan. Selectors look their series up here, once for equal selectors. */
export class Builder {
  readonly evaluation: Evaluation;
  readonly #querier: Querier;
  readonly #sets = new Map<string, SeriesSet>();
  /** What the nodes above the one being built look at in histograms. */
  #reads: HistogramReads = 'unknown';

  constructor(evaluation: Evaluation, querier: Querier) {
    this.evaluation = evaluation;
    this.#querier = querier;
  }

  /** An operator that gives the node's result at each step of the axis. */
  build(node: PlanNode, axis: StepAxis): Operator {
    this.evaluation.reserveBytes(axis.count * BYTES_PER_STEP);
    const kind = countKind(node);
    // A step-wise evaluation repeats the samples of an invariant node at each step.
    const outer = this.evaluation.enter(kind, axis.count, kind === 'invariant' ? axis.count : 1, node.span);
    const outerReads = this.#reads;
    this.#reads = readsBelow(node, outerReads);
    const operator = this.#create(node, axis);
    this.#reads = outerReads;
    const { count } = this.evaluation;
    this.evaluation.leave(outer);
    return kind === 'same' || kind === 'invariant' ? operator : new CountedOperator(operator, count);
  }

  #create(node: PlanNode, axis: StepAxis): Operator {
    switch (node.type) {
      case 'number': {
        const { value } = node;
        return this.scalar(axis, () => value, []);
      }
      case 'selector':
        return this.buildSelector(node, axis, false);
      case 'invariant':
        return axis.count === 1
          ? this.build(node.input, axis)
          : new StepInvariantOperator(this.build(node.input, singleStep(axis)));
      case 'negate':
        return this.#buildNegate(node.input, axis);
      case 'binary':
        return this.#buildBinary(node, axis);
      case 'aggregate':
        return this.#buildAggregate(node, axis);
      case 'call':
        return buildCall(this, node, axis);
      case 'string':
      case 'range':
      case 'subquery':
        throw new Error(`BUG: ${node.type} has no value at a step`);
      default:
        return unreachable(node);
    }
  }

  scalar(axis: StepAxis, fn: ScalarFunction, args: readonly PlanNode[]): Operator {
    const operands = args.map((arg) => this.build(arg, axis));
    return new ScalarOperator(stepTimesOf(axis), fn, operands);
  }

  scalars(nodes: readonly PlanNode[], axis: StepAxis): ScalarReaders {
    return new ScalarReaders(
      nodes.map((node) => this.build(node, axis)),
      axis.count,
    );
  }

  /** The series a selector matches, with what it reads of them. */
  select(node: SelectorPlan | RangePlan, axis: StepAxis): { readonly set: SeriesSet; readonly bounds: TimeBounds } {
    const { matchers } = node.type === 'range' ? node.selector : node;
    const bounds = selectorBounds(node, axis, this.evaluation.lookbackMs);
    const key = `${matchers.map((matcher) => matcher.toString()).join(',')} ${bounds.minMs} ${bounds.maxMs}`;
    let set = this.#sets.get(key);
    if (set === undefined) {
      set = this.#querier.select(matchers, { startMs: bounds.minMs, endMs: bounds.maxMs });
      this.#sets.set(key, set);
    }
    return { set, bounds };
  }

  /** `onHistogram` throws where histograms must not be. */
  buildSelector(node: SelectorPlan, axis: StepAxis, wantsTimestamp: boolean, onHistogram?: () => void): Operator {
    const { set } = this.select(node, axis);
    return new VectorSelectorOperator(this.evaluation, set, axis, {
      reference: node.reference,
      wantsTimestamp,
      isSmoothed: node.extension === 'smoothed',
      notes: new HistogramNotes(this.evaluation, node.span),
      detectsResets: this.#reads === 'counts',
      onHistogram,
    });
  }

  /** Where the samples of a range vector come from. */
  buildRange(node: RangePlan | SubqueryPlan, axis: StepAxis): RangeSource {
    if (node.type === 'range') {
      const { set, bounds } = this.select(node, axis);
      return new MatrixSelectorSource(set, bounds.minMs, bounds.maxMs, this.#reads === 'counts');
    }
    const inner = subqueryAxis(node, axis);
    if (inner.count === 0) return new EmptySource();
    // The samples that a subquery makes are counted as its windows look at them, those it reads are not.
    const outer = this.evaluation.enter('same', inner.count, 0, node.span);
    const outerReads = this.#reads;
    this.#reads = 'buckets';
    const source = this.build(node.inner, inner);
    this.#reads = outerReads;
    this.evaluation.leave(outer);
    return new SubquerySource(this.evaluation, source, stepTimesOf(inner));
  }

  /** A function of each sample. `input` says whether dropping the name can make series the same. */
  map(input: PlanNode, axis: StepAxis, options: MapOptions): Operator {
    const source = options.source ?? this.build(input, axis);
    const call = new MapCallOperator(this.evaluation, {
      kernel: options.kernel,
      histogramMap: options.histogramMap,
      source,
      params: this.scalars(options.params, axis),
      stepTimes: stepTimesOf(axis),
      keepsName: options.keepsName,
    });
    return options.keepsName ? call : this.afterNameDrop(call, input, axis);
  }

  /** Joins series that may have become the same because their names were dropped. */
  afterNameDrop(operator: Operator, input: PlanNode, axis: StepAxis, mayMerge = true): Operator {
    if (this.evaluation.delayedNameRemoval || commonName(input) !== undefined) return operator;
    return this.distinct(operator, axis, mayMerge);
  }

  distinct(source: Operator, axis: StepAxis, mayMerge = true): Operator {
    return new DistinctOperator(this.evaluation, {
      source,
      stepCount: axis.count,
      mayRepeat: () => true,
      mayMerge,
      message: SAME_LABELSET,
    });
  }

  /** A warning for each quantile that is none. */
  warnOfQuantiles(param: PlanNode, quantiles: Float64Array): void {
    for (let i = 0; i < quantiles.length; i++) {
      const q = quantiles[i]!;
      if (q >= 0 && q <= 1) continue;
      this.evaluation.warn(`quantile value should be between 0 and 1, got ${formatFloatG(q)}`, param.span);
    }
  }

  #buildNegate(input: PlanNode, axis: StepAxis): Operator {
    if (input.valueType === 'scalar') return this.scalar(axis, (a) => -a, [input]);
    return this.map(input, axis, {
      kernel: negate,
      histogramMap: (each) => each.scale(-1),
      params: [],
      keepsName: false,
    });
  }

  #buildBinary(node: BinaryPlan, axis: StepAxis): Operator {
    const { op, lhs, rhs, bool, matching } = node;
    if (node.valueType === 'scalar') return this.scalar(axis, scalarFunction(op), [lhs, rhs]);
    const scalarIsLeft = lhs.valueType === 'scalar';
    if (scalarIsLeft || rhs.valueType === 'scalar') {
      const kernel = scalarBinaryKernel({ op, bool, scalarIsLeft });
      const keepsName = !bool && !ARITHMETIC.has(op);
      const [vector, scalar] = scalarIsLeft ? [rhs, lhs] : [lhs, rhs];
      const notes = new HistogramNotes(this.evaluation, node.span);
      const histogramMap = scalarHistogramMap({ op, bool, scalarIsLeft }, notes);
      return this.map(vector, axis, { kernel, histogramMap, params: [scalar], keepsName });
    }
    const match = must(matching, 'vector matching');
    const operands = { lhs: this.build(lhs, axis), rhs: this.build(rhs, axis), stepCount: axis.count };
    if (op === 'and' || op === 'or' || op === 'unless') {
      const set = new SetBinaryOperator(this.evaluation, { op, match, ...operands });
      return op === 'or' ? this.distinct(set, axis) : set;
    }
    const notes = new HistogramNotes(this.evaluation, node.span);
    const binary = new VectorBinaryOperator(this.evaluation, { op, bool, matching: match, notes, ...operands });
    return new DistinctOperator(this.evaluation, {
      source: binary,
      stepCount: axis.count,
      mayRepeat: () => binary.mayRepeat,
      mayMerge: true,
      message:
        match.card === 'one-to-one'
          ? SAME_LABELSET
          : 'multiple matches for labels: grouping labels must ensure unique matches',
    });
  }

  #buildAggregate(node: AggregatePlan, axis: StepAxis): Operator {
    const accumulator = ACCUMULATORS.get(node.op);
    if (accumulator === undefined) return buildAggregation(this, node, axis);
    return new AggregateOperator(this.evaluation, {
      source: this.build(node.input, axis),
      grouping: { labels: node.grouping, without: node.without },
      accumulator,
      histograms: { op: node.op, notes: new HistogramNotes(this.evaluation, node.input.span) },
      stepCount: axis.count,
    });
  }
}

export interface MapOptions {
  readonly kernel: MapKernel;
  readonly histogramMap?: HistogramMap | undefined;
  readonly params: readonly PlanNode[];
  readonly keepsName: boolean;
  /** Instead of the operator of the input node. */
  readonly source?: Operator;
}

/** Counts and sums only, or buckets too. */
type HistogramReads = 'unknown' | 'counts' | 'buckets';

const COUNT_FUNCTIONS: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const BUCKET_FUNCTIONS: ReadonlySet<string> = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
]);

function readsBelow(node: PlanNode, above: HistogramReads): HistogramReads {
  if (above === 'buckets') return above;
  if (node.type === 'binary') return node.op === '</' || node.op === '>/' ? 'buckets' : above;
  if (node.type !== 'call') return above;
  if (COUNT_FUNCTIONS.has(node.name)) return 'counts';
  return BUCKET_FUNCTIONS.has(node.name) ? 'buckets' : above;
}

function countKind(node: PlanNode): CountKind {
  const { type } = node;
  if (type === 'selector' || type === 'aggregate' || type === 'invariant') return type;
  if (type === 'negate') return 'same';
  if (type !== 'call') return 'steps';
  if (node.name === 'label_replace' || node.name === 'label_join') return 'same';
  if (node.name === 'timestamp' && node.args[0]?.type === 'selector') return 'timestamp';
  return node.args.some(({ valueType }) => valueType === 'matrix') ? 'range' : 'steps';
}

const negate: MapKernel = ({ values, base, stepTimes }) => {
  for (let i = 0; i < stepTimes.length; i++) values[base + i] = -values[base + i]!;
};

function scalarFunction(op: BinaryPlan['op']): ScalarFunction {
  const arithmetic = ARITHMETIC.get(op);
  if (arithmetic !== undefined) return arithmetic;
  const holds = must(COMPARISONS.get(op), op);
  return (a, b) => (holds(a, b) ? 1 : 0);
}
