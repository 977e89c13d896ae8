import { histogramFraction, histogramQuantile } from '../../model/histogram-quantile.ts';
import { quoteGo, type Labels } from '../../model/labels.ts';
import { formatFloatG } from '../../util/decimal.ts';
import { bucketFraction, bucketQuantile, type Repair } from '../functions/histogram.ts';
import { HistogramCallOperator, type HistogramOutput } from '../operator/histogram-call.ts';
import type { Operator } from '../operator/operator.ts';
import { dropName } from '../operator/series-list.ts';
import type { StepAxis } from '../value.ts';
import { stepTimesOf } from './axis.ts';
import type { Builder } from './build.ts';
import type { CallPlan, PlanNode } from './plan.ts';

/** histogram_quantile(q, v), histogram_fraction(lower, upper, v), histogram_quantiles(v, label, q...). */
export function buildHistogramCall(builder: Builder, node: CallPlan, axis: StepAxis): Operator {
  const { evaluation } = builder;
  const input = node.args.find((arg) => arg.valueType === 'vector')!;
  const params = node.args.filter((arg) => arg.valueType === 'scalar');
  const isFraction = node.name === 'histogram_fraction';
  const repairs = new RepairReport(builder, input, stepTimesOf(axis));
  const nameOf = (name: string): string =>
    evaluation.delayedNameRemoval && name !== '' ? ` for metric name ${quoteGo(name)}` : '';
  const onNan = (text: string, name: string): void => evaluation.info(`${text}${nameOf(name)}`, input.span);
  const operator = new HistogramCallOperator(evaluation, {
    source: builder.build(input, axis),
    params: builder.scalars(params, axis),
    stepCount: axis.count,
    outputs: isFraction ? [fraction(builder, onNan)] : quantiles(builder, node, params, onNan),
    onParams: (columns) => {
      if (isFraction) return;
      for (let i = 0; i < columns.length; i++) builder.warnOfQuantiles(params[i]!, columns[i]!);
    },
    onBadBound: (text, name) => {
      const what = `bucket label "le" is missing or has a malformed value of ${quoteGo(text)}`;
      evaluation.warn(`${what}${nameOf(name)}`, input.span);
    },
    onMix: (name) =>
      evaluation.warn(`vector contains a mix of classic and native histograms${nameOf(name)}`, input.span),
    onRepair: (repair, name, step) => repairs.add(repair, nameOf(name), step),
    onEnd: () => repairs.write(),
  });
  return builder.afterNameDrop(operator, input, axis);
}

function kept(delayed: boolean): (labels: Labels) => Labels {
  return delayed ? (labels) => labels : dropName;
}

/** Tells of NaN observations in a native histogram, with its metric name. */
type OnNan = (text: string, metricName: string) => void;

function fraction(builder: Builder, onNan: OnNan): HistogramOutput {
  return {
    labels: kept(builder.evaluation.delayedNameRemoval),
    evaluateNative: (histogram, [lower, upper], step, metricName) => {
      const { value, nanEffect } = histogramFraction(lower![step]!, upper![step]!, histogram);
      const text = 'input to histogram_fraction has NaN observations, which are excluded from all fractions';
      if (nanEffect !== 'none') onNan(text, metricName);
      return value;
    },
    evaluate: (buckets, [lower, upper], step) => bucketFraction(lower![step]!, upper![step]!, buckets),
  };
}

function quantiles(builder: Builder, node: CallPlan, params: readonly PlanNode[], onNan: OnNan): HistogramOutput[] {
  const name = kept(builder.evaluation.delayedNameRemoval);
  const label = node.name === 'histogram_quantiles' && node.args[1]?.type === 'string' ? node.args[1].value : undefined;
  return params.map((param, index) => ({
    labels: (group) => {
      const labels = name(group);
      return label === undefined ? labels : labels.with(label, quantileText(param));
    },
    evaluate: (buckets, columns, step) => bucketQuantile(columns[index]![step]!, buckets),
    evaluateNative: (histogram, columns, step, metricName) => {
      const { value, nanEffect } = histogramQuantile(columns[index]![step]!, histogram);
      const effect = nanEffect === 'isNan' ? 'NaN' : 'skewed higher';
      if (nanEffect !== 'none')
        onNan(`input to histogram_quantile has NaN observations, result is ${effect}`, metricName);
      return value;
    },
  }));
}

/** The label value of a quantile, as summaries write it: `0.5`, `1.0`. */
function quantileText(param: PlanNode): string {
  const text = formatFloatG(param.type === 'number' ? param.value : NaN);
  return /[.eNI]/.test(text) ? text : `${text}.0`;
}

interface RepairTotal {
  repair: Repair;
  count: number;
  firstStep: number;
  lastStep: number;
}

/** One info for all repairs of a metric, written at the end. */
class RepairReport {
  readonly #builder: Builder;
  readonly #input: PlanNode;
  readonly #stepTimes: Float64Array;
  readonly #totals = new Map<string, RepairTotal>();

  constructor(builder: Builder, input: PlanNode, stepTimes: Float64Array) {
    this.#builder = builder;
    this.#input = input;
    this.#stepTimes = stepTimes;
  }

  add(repair: Repair, name: string, step: number): void {
    const total = this.#totals.get(name);
    if (total === undefined) {
      this.#totals.set(name, { repair, count: 1, firstStep: step, lastStep: step });
      return;
    }
    total.count++;
    total.firstStep = Math.min(total.firstStep, step);
    total.lastStep = Math.max(total.lastStep, step);
    total.repair = {
      minBound: Math.min(total.repair.minBound, repair.minBound),
      maxBound: Math.max(total.repair.maxBound, repair.maxBound),
      maxDrop: Math.max(total.repair.maxDrop, repair.maxDrop),
    };
  }

  write(): void {
    for (const [name, { repair, count, firstStep, lastStep }] of this.#totals) {
      this.#builder.evaluation.info(
        'input to histogram_quantile needed to be fixed for monotonicity ' +
          '(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)' +
          `${name}, from buckets ${formatFloatG(repair.minBound)} to ${formatFloatG(repair.maxBound)}, ` +
          `with a max diff of ${formatTwoDigits(repair.maxDrop)}, over ${count} samples ` +
          `from ${this.#timeText(firstStep)} to ${this.#timeText(lastStep)}`,
        this.#input.span,
      );
    }
    this.#totals.clear();
  }

  #timeText(step: number): string {
    return new Date(this.#stepTimes[step]!).toISOString().replace(/\.\d+Z$/, 'Z');
  }
}

/** Go's %.2g. */
function formatTwoDigits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return formatFloatG(value);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const rounded = Number(value.toPrecision(2));
  if (exponent >= -4 && exponent < 2) return formatFloatG(rounded);
  const [mantissa, power] = rounded.toExponential().split('e') as [string, string];
  const sign = power.startsWith('-') ? '-' : '+';
  return `${mantissa}e${sign}${power.slice(1).padStart(2, '0')}`;
}
