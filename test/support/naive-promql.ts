// PromQL evaluated the slow and plain way: one step at a time, rows of labels and values, windows cut out anew. It
// shares nothing with the engine but the parser, so that the two can be held against each other.
import { Labels, METRIC_NAME } from '../../model/labels.ts';
import { unreachable } from '../../util/assert.ts';
import type {
  Aggregation,
  BinaryExpr,
  Call,
  DurationExpr,
  Expr,
  TimeShift,
  VectorSelector,
} from '../../promql/parse/ast.ts';

export interface NaiveSeries {
  readonly labels: Labels;
  /** Ascending by time; undefined is a staleness marker. */
  readonly samples: readonly (readonly [timeMs: number, value: number | undefined])[];
}

interface NaiveRow {
  readonly labels: Labels;
  readonly value: number;
}

interface Window {
  readonly labels: Labels;
  readonly samples: readonly (readonly [number, number])[];
}

/** What an expression is at one time. */
export type NaiveValue = number | readonly NaiveRow[];

export interface NaiveContext {
  readonly series: readonly NaiveSeries[];
  readonly startMs: number;
  readonly endMs: number;
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
}

/** The value of an expression at a time. Throws where Prometheus would fail the query. */
export function evaluateNaively(expr: Expr, timeMs: number, context: NaiveContext): NaiveValue {
  return new Naive(context).value(expr, timeMs);
}

class Naive {
  readonly #context: NaiveContext;

  constructor(context: NaiveContext) {
    this.#context = context;
  }

  value(expr: Expr, t: number): NaiveValue {
    switch (expr.type) {
      case 'numberLiteral':
        return expr.value;
      case 'parenExpr':
        return this.value(expr.expr, t);
      case 'unaryExpr': {
        const inner = this.value(expr.expr, t);
        if (expr.op === '+') return inner;
        return typeof inner === 'number' ? -inner : distinct(inner.map((row) => renamed(row, -row.value)));
      }
      case 'vectorSelector':
        return this.#instant(expr, t);
      case 'aggregation':
        return this.#aggregation(expr, t);
      case 'call':
        return this.#call(expr, t);
      case 'binaryExpr':
        return this.#binary(expr, t);
      case 'stringLiteral':
      case 'matrixSelector':
      case 'subquery':
        throw new Error(`no value: ${expr.type}`);
      default:
        return unreachable(expr);
    }
  }

  #vector(expr: Expr, t: number): readonly NaiveRow[] {
    const value = this.value(expr, t);
    if (typeof value === 'number') throw new Error('not a vector');
    return value;
  }

  #scalar(expr: Expr | undefined, t: number): number {
    const value = expr === undefined ? NaN : this.value(expr, t);
    if (typeof value !== 'number') throw new Error('not a scalar');
    return value;
  }

  #instant(selector: VectorSelector, t: number): NaiveRow[] {
    const at = this.#shifted(selector.shift, t);
    const rows: NaiveRow[] = [];
    for (const { labels, samples } of this.#matching(selector)) {
      const newest = samples.filter(([time]) => time <= at && time > at - this.#context.lookbackMs).at(-1);
      if (newest?.[1] !== undefined) rows.push({ labels, value: newest[1] });
    }
    return rows;
  }

  #matching(selector: VectorSelector): NaiveSeries[] {
    return this.#context.series.filter(({ labels }) =>
      selector.matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
    );
  }

  #shifted({ at, offset }: TimeShift, t: number): number {
    const offsetMs = offset === undefined ? 0 : literalMs(offset);
    if (at === undefined) return t - offsetMs;
    const base = at.kind === 'time' ? at.timeMs : at.kind === 'start' ? this.#context.startMs : this.#context.endMs;
    return base - offsetMs;
  }

  /** The windows of a range vector and the times they end at. */
  #windows(expr: Expr, t: number): { readonly windows: Window[]; readonly end: number; readonly rangeMs: number } {
    if (expr.type === 'parenExpr') return this.#windows(expr.expr, t);
    if (expr.type === 'matrixSelector') {
      const rangeMs = literalMs(expr.range);
      const end = this.#shifted(expr.selector.shift, t);
      const windows = this.#matching(expr.selector).map(({ labels, samples }) => ({
        labels,
        samples: samples.filter(
          (sample): sample is readonly [number, number] =>
            sample[1] !== undefined && sample[0] > end - rangeMs && sample[0] <= end,
        ),
      }));
      return { windows, end, rangeMs };
    }
    if (expr.type !== 'subquery') throw new Error('not a range vector');
    const rangeMs = literalMs(expr.range);
    const stepMs = expr.step === undefined ? this.#context.subqueryStepMs : literalMs(expr.step);
    const end = this.#shifted(expr.shift, t);
    const byKey = new Map<string, { labels: Labels; samples: [number, number][] }>();
    for (let at = (Math.floor((end - rangeMs) / stepMs) + 1) * stepMs; at <= end; at += stepMs) {
      for (const { labels, value } of this.#vector(expr.expr, at)) {
        const key = labels.key();
        const window = byKey.get(key) ?? { labels, samples: [] };
        byKey.set(key, window);
        window.samples.push([at, value]);
      }
    }
    return { windows: [...byKey.values()].sort((a, b) => Labels.compare(a.labels, b.labels)), end, rangeMs };
  }

  #call(expr: Call, t: number): NaiveValue {
    const [first] = expr.args;
    if (expr.name === 'time') return t / 1000;
    if (first === undefined) throw new Error(expr.name);
    if (expr.name === 'scalar') {
      const rows = this.#vector(first, t);
      return rows.length === 1 ? rows[0]!.value : NaN;
    }
    if (expr.name === 'vector') return [{ labels: Labels.EMPTY, value: this.#scalar(first, t) }];
    if (expr.name === 'absent') return this.#vector(first, t).length > 0 ? [] : [{ labels: Labels.EMPTY, value: 1 }];
    const map = MAPS[expr.name];
    if (map !== undefined) return distinct(this.#vector(first, t).map((row) => renamed(row, map(row.value))));
    return this.#rangeCall(expr, t);
  }

  #rangeCall(expr: Call, t: number): NaiveRow[] {
    const range = expr.args.find((arg) => arg.type === 'matrixSelector' || arg.type === 'subquery')!;
    const scalar = expr.args.find((arg) => arg !== range);
    const { windows, end, rangeMs } = this.#windows(range, t);
    const rows: NaiveRow[] = [];
    for (const { labels, samples } of windows) {
      if (samples.length === 0) continue;
      const values = samples.map(([, value]) => value);
      const value = overWindow(expr.name, { values, samples, end, rangeMs, param: this.#scalar(scalar, t) });
      if (value === undefined) continue;
      rows.push({ labels: expr.name === 'last_over_time' ? labels : withoutName(labels), value });
    }
    return distinct(rows);
  }

  #aggregation(expr: Aggregation, t: number): NaiveRow[] {
    const rows = this.#vector(expr.expr, t);
    const { op, grouping, without } = expr;
    const names = new Set(without ? [...grouping, METRIC_NAME] : grouping);
    const groups = new Map<string, { labels: Labels; rows: NaiveRow[] }>();
    for (const row of rows) {
      const labels = without ? row.labels.without(names) : row.labels.only(names);
      const group = groups.get(labels.key()) ?? { labels, rows: [] };
      groups.set(labels.key(), group);
      group.rows.push(row);
    }
    if (op === 'topk' || op === 'bottomk') {
      const k = Math.trunc(this.#scalar(expr.param, t));
      return [...groups.values()].flatMap((group) => best(group.rows, k, op === 'topk' ? 1 : -1));
    }
    const param = op === 'quantile' ? this.#scalar(expr.param, t) : 0;
    return [...groups.values()].map(({ labels, rows: members }) => ({
      labels,
      value: aggregate(
        op,
        members.map(({ value }) => value),
        param,
      ),
    }));
  }

  #binary(expr: BinaryExpr, t: number): NaiveValue {
    const left = this.value(expr.lhs, t);
    const right = this.value(expr.rhs, t);
    if (typeof left === 'number' && typeof right === 'number') return Number(operate(expr.op, left, right));
    if (typeof left === 'number') return withScalar(expr, right as NaiveRow[], (x) => [left, x]);
    if (typeof right === 'number') return withScalar(expr, left, (x) => [x, right]);
    if (expr.op === 'and' || expr.op === 'or' || expr.op === 'unless') return setOperation(expr, left, right);
    return matched(expr, left, right);
  }
}

function literalMs(duration: DurationExpr): number {
  if (duration.type === 'durationLiteral') return duration.valueMs;
  if (duration.type === 'durationUnary') return (duration.op === '-' ? -1 : 1) * literalMs(duration.operand);
  throw new Error('only literal durations');
}

function withoutName(labels: Labels): Labels {
  return labels.without(new Set([METRIC_NAME]));
}

function renamed(row: NaiveRow, value: number): NaiveRow {
  return { labels: withoutName(row.labels), value };
}

function distinct<R extends NaiveRow>(rows: R[]): R[] {
  if (new Set(rows.map(({ labels }) => labels.key())).size !== rows.length) throw new Error('same labelset');
  return rows;
}

const MAPS: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  sgn: (x) => (x < 0 ? -1 : x > 0 ? 1 : x),
  round: (x) => Math.floor(x + 0.5),
};

/** Neumaier's sum, with the first value as the start. */
function sumOf(values: readonly number[], start: number): number {
  let sum = start;
  let c = 0;
  for (const x of values) {
    const t = sum + x;
    if (!Number.isFinite(t) && !Number.isNaN(t)) c = 0;
    else if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
  }
  return sum + c;
}

/** Sum and compensation kept apart until the division, as Prometheus does; overflow is not for this evaluator. */
function meanOf(values: readonly number[]): number {
  let sum = values[0]!;
  let c = 0;
  for (const x of values.slice(1)) {
    const t = sum + x;
    if (Math.abs(sum) >= Math.abs(x)) c += sum - t + x;
    else c += x - t + sum;
    sum = t;
  }
  return sum / values.length + c / values.length;
}

function quantileOf(q: number, values: readonly number[]): number {
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const sorted = [...values].sort((a, b) => (a !== a ? (b !== b ? 0 : -1) : b !== b ? 1 : a - b));
  const rank = q * (sorted.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(sorted.length - 1, lower + 1);
  const weight = rank - lower;
  return sorted[lower]! * (1 - weight) + sorted[upper]! * weight;
}

function extremeOf(values: readonly number[], sign: number): number {
  const numbers = values.filter((x) => x === x);
  return numbers.length === 0 ? NaN : numbers.reduce((a, b) => (sign * b > sign * a ? b : a));
}

function varianceOf(values: readonly number[]): number {
  let mean = values[0]!;
  let squares = Number.isFinite(mean) ? 0 : NaN;
  values.slice(1).forEach((x, i) => {
    const d = x - mean;
    mean += d / (i + 2);
    squares += d * (x - mean);
  });
  return squares / values.length;
}

function aggregate(op: string, values: readonly number[], param: number): number {
  switch (op) {
    case 'sum':
      return sumOf(values.slice(1), values[0]!);
    case 'avg':
      return meanOf(values);
    case 'min':
      return extremeOf(values, -1);
    case 'max':
      return extremeOf(values, 1);
    case 'count':
      return values.length;
    case 'group':
      return 1;
    case 'stdvar':
      return varianceOf(values);
    case 'stddev':
      return Math.sqrt(varianceOf(values));
    case 'quantile':
      return quantileOf(param, values);
    default:
      throw new Error(op);
  }
}

function best(rows: readonly NaiveRow[], k: number, sign: number): NaiveRow[] {
  const worse = (x: number, y: number): boolean => (x !== x ? y === y : sign * x < sign * y);
  const sorted = [...rows].sort((a, b) => (worse(a.value, b.value) ? 1 : worse(b.value, a.value) ? -1 : 0));
  return sorted.slice(0, Math.max(0, k));
}

interface WindowCall {
  readonly values: readonly number[];
  readonly samples: readonly (readonly [number, number])[];
  readonly end: number;
  readonly rangeMs: number;
  readonly param: number;
}

function overWindow(name: string, call: WindowCall): number | undefined {
  const { values, samples, param } = call;
  const last = values.at(-1)!;
  const pairs = values.slice(1).map((x, i) => [values[i]!, x] as const);
  switch (name) {
    case 'rate':
    case 'increase':
    case 'delta':
      return values.length < 2 ? undefined : extrapolated(name, call);
    case 'irate':
    case 'idelta': {
      if (values.length < 2) return undefined;
      const [[t0, v0], [t1, v1]] = samples.slice(-2) as [readonly [number, number], readonly [number, number]];
      if (name === 'idelta') return v1 - v0;
      return (v1 < v0 ? v1 : v1 - v0) / ((t1 - t0) / 1000);
    }
    case 'resets':
      return pairs.filter(([a, b]) => b < a).length;
    case 'changes':
      return pairs.filter(([a, b]) => a !== b && !(a !== a && b !== b)).length;
    case 'sum_over_time':
      return sumOf(values, 0);
    case 'avg_over_time':
      return meanOf(values);
    case 'min_over_time':
      return extremeOf(values, -1);
    case 'max_over_time':
      return extremeOf(values, 1);
    case 'count_over_time':
      return values.length;
    case 'present_over_time':
      return 1;
    case 'last_over_time':
      return last;
    case 'quantile_over_time':
      return quantileOf(param, values);
    default:
      throw new Error(name);
  }
}

function extrapolated(name: string, { values, samples, end, rangeMs }: WindowCall): number {
  const isCounter = name !== 'delta';
  let result = values.at(-1)! - values[0]!;
  if (isCounter) values.slice(1).forEach((x, i) => (result += x < values[i]! ? values[i]! : 0));
  const [firstMs] = samples[0]!;
  const [lastMs] = samples.at(-1)!;
  const sampled = (lastMs - firstMs) / 1000;
  const average = sampled / (values.length - 1);
  let before = (firstMs - (end - rangeMs)) / 1000;
  let after = (end - lastMs) / 1000;
  if (before >= average * 1.1) before = average / 2;
  if (isCounter && result > 0 && values[0]! >= 0) before = Math.min(before, sampled * (values[0]! / result));
  if (after >= average * 1.1) after = average / 2;
  const factor = (sampled + before + after) / sampled;
  return result * (name === 'rate' ? factor / (rangeMs / 1000) : factor);
}

function operate(op: string, a: number, b: number): number | boolean {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    default:
      throw new Error(op);
  }
}

function withScalar(
  expr: BinaryExpr,
  rows: readonly NaiveRow[],
  operands: (x: number) => readonly [number, number],
): NaiveRow[] {
  const out: NaiveRow[] = [];
  for (const row of rows) {
    const result = operate(expr.op, ...operands(row.value));
    if (typeof result === 'number' || expr.bool) out.push(renamed(row, Number(result)));
    else if (result) out.push(row);
  }
  return distinct(out);
}

function signatureOf(expr: BinaryExpr, labels: Labels): string {
  const { on, labels: names } = expr.matching!;
  return (on ? labels.only(new Set(names)) : labels.without(new Set([...names, METRIC_NAME]))).key();
}

function setOperation(expr: BinaryExpr, left: readonly NaiveRow[], right: readonly NaiveRow[]): NaiveRow[] {
  const keysOf = (rows: readonly NaiveRow[]): Set<string> =>
    new Set(rows.map(({ labels }) => signatureOf(expr, labels)));
  if (expr.op === 'or') {
    const keys = keysOf(left);
    return distinct([...left, ...right.filter(({ labels }) => !keys.has(signatureOf(expr, labels)))]);
  }
  const keys = keysOf(right);
  return left.filter(({ labels }) => keys.has(signatureOf(expr, labels)) === (expr.op === 'and'));
}

function matched(expr: BinaryExpr, left: readonly NaiveRow[], right: readonly NaiveRow[]): NaiveRow[] {
  const matching = expr.matching!;
  const isSwapped = matching.card === 'one-to-many';
  const isOneToOne = matching.card === 'one-to-one';
  const [many, one] = isSwapped ? [right, left] : [left, right];
  if (many.length === 0 || one.length === 0) return [];
  const ones = new Map<string, NaiveRow>();
  for (const row of one) {
    const key = signatureOf(expr, row.labels);
    if (ones.has(key)) throw new Error('duplicate series on the one side');
    ones.set(key, row);
  }
  const used = new Set<string>();
  const out: NaiveRow[] = [];
  for (const row of many) {
    const key = signatureOf(expr, row.labels);
    const other = ones.get(key);
    if (other === undefined) continue;
    if (isOneToOne && used.has(key)) throw new Error('multiple matches');
    used.add(key);
    const [a, b] = isSwapped ? [other.value, row.value] : [row.value, other.value];
    const result = operate(expr.op, a, b);
    if (result === false && !expr.bool) continue;
    const isFilter = typeof result === 'boolean' && !expr.bool;
    out.push({ labels: resultLabels(expr, row.labels, other.labels, isFilter), value: isFilter ? a : Number(result) });
  }
  return distinct(out);
}

function resultLabels(expr: BinaryExpr, many: Labels, one: Labels, keepsName: boolean): Labels {
  const { card, on, labels: names, include } = expr.matching!;
  let labels = keepsName ? many : withoutName(many);
  if (card === 'one-to-one') labels = on ? labels.only(new Set(names)) : labels.without(new Set(names));
  for (const name of include) labels = labels.with(name, one.get(name));
  return labels;
}
