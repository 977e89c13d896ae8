import type { Span } from '../../model/annotations.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { DurationMs, TimestampMs } from '../../model/time.ts';
import { must, unreachable } from '../../util/assert.ts';
import { functionSignature } from '../functions/signatures.ts';
import type { TimeReference } from '../operator/vector-selector.ts';
import type { AggregateOp, BinaryOp, DurationExpr, Expr, TimeShift, ValueType, VectorMatching } from '../parse/ast.ts';
import { resolveDuration, type DurationContext } from '../parse/durations.ts';
import { infoSelector } from './info.ts';

/**
 * What is to be computed: the expression with parentheses gone, durations and `@` resolved to milliseconds, and
 * constants of the query (start(), step() ...) put in. Every node knows its value type and its place in the text.
 */
export type PlanNode =
  | NumberPlan
  | StringPlan
  | SelectorPlan
  | RangePlan
  | SubqueryPlan
  | AggregatePlan
  | CallPlan
  | BinaryPlan
  | NegatePlan
  | InvariantPlan;

export interface NumberPlan {
  readonly type: 'number';
  readonly valueType: 'scalar';
  readonly span: Span;
  readonly value: number;
}

export interface StringPlan {
  readonly type: 'string';
  readonly valueType: 'string';
  readonly span: Span;
  readonly value: string;
}

export interface SelectorPlan {
  readonly type: 'selector';
  readonly valueType: 'vector';
  readonly span: Span;
  readonly matchers: readonly Matcher[];
  readonly reference: TimeReference;
  readonly extension: 'anchored' | 'smoothed' | undefined;
}

export interface RangePlan {
  readonly type: 'range';
  readonly valueType: 'matrix';
  readonly span: Span;
  readonly selector: SelectorPlan;
  readonly rangeMs: DurationMs;
}

export interface SubqueryPlan {
  readonly type: 'subquery';
  readonly valueType: 'matrix';
  readonly span: Span;
  readonly inner: PlanNode;
  readonly rangeMs: DurationMs;
  readonly stepMs: DurationMs;
  readonly reference: TimeReference;
}

export interface AggregatePlan {
  readonly type: 'aggregate';
  readonly valueType: 'vector';
  readonly span: Span;
  readonly op: AggregateOp;
  readonly input: PlanNode;
  readonly param: PlanNode | undefined;
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export interface CallPlan {
  readonly type: 'call';
  readonly valueType: ValueType;
  readonly span: Span;
  readonly name: string;
  readonly args: readonly PlanNode[];
}

export interface BinaryPlan {
  readonly type: 'binary';
  readonly valueType: ValueType;
  readonly span: Span;
  readonly op: BinaryOp;
  readonly lhs: PlanNode;
  readonly rhs: PlanNode;
  readonly bool: boolean;
  /** undefined when an operand is a scalar. */
  readonly matching: VectorMatching | undefined;
}

/** Unary minus; unary plus is no node. */
export interface NegatePlan {
  readonly type: 'negate';
  readonly valueType: ValueType;
  readonly span: Span;
  readonly input: PlanNode;
}

/** The same at every step: evaluated once. Made by rewrite.ts. */
export interface InvariantPlan {
  readonly type: 'invariant';
  readonly valueType: ValueType;
  readonly span: Span;
  readonly input: PlanNode;
}

/** What is the same in all of a query. */
export interface PlanContext {
  readonly startMs: TimestampMs;
  readonly endMs: TimestampMs;
  /** step() and range(): both 0 in an instant query. */
  readonly durations: DurationContext;
  readonly defaultSubqueryStepMs: DurationMs;
}

/** Turns a checked expression into a plan. Throws bad_data when a duration expression has no valid value. */
export function createPlan(expr: Expr, context: PlanContext): PlanNode {
  return new Planner(context).plan(expr);
}

class Planner {
  readonly #context: PlanContext;
  readonly #constants: ReadonlyMap<string, number>;

  constructor(context: PlanContext) {
    this.#context = context;
    this.#constants = new Map([
      ['start', context.startMs / 1000],
      ['end', context.endMs / 1000],
      ['range', context.durations.rangeMs / 1000],
      ['step', context.durations.stepMs / 1000],
      ['pi', Math.PI],
    ]);
  }

  plan(expr: Expr): PlanNode {
    const { span } = expr;
    switch (expr.type) {
      case 'parenExpr':
        return this.plan(expr.expr);
      case 'numberLiteral':
        return { type: 'number', valueType: 'scalar', span, value: expr.value };
      case 'stringLiteral':
        return { type: 'string', valueType: 'string', span, value: expr.value };
      case 'vectorSelector':
        return this.#selector(expr, expr.shift);
      case 'matrixSelector': {
        const selector = this.#selector(expr.selector, expr.selector.shift);
        const rangeMs = this.#duration(expr.range, false);
        return { type: 'range', valueType: 'matrix', span, selector, rangeMs };
      }
      case 'subquery':
        return this.#subquery(expr);
      case 'aggregation': {
        const { op, grouping, without } = expr;
        const input = this.plan(expr.expr);
        const param = expr.param === undefined ? undefined : this.plan(expr.param);
        return { type: 'aggregate', valueType: 'vector', span, op, input, param, grouping, without };
      }
      case 'call':
        return this.#call(expr);
      case 'unaryExpr': {
        const input = this.plan(expr.expr);
        if (expr.op === '+') return input;
        return { type: 'negate', valueType: input.valueType, span, input };
      }
      case 'binaryExpr': {
        const { op, bool, matching } = expr;
        const lhs = this.plan(expr.lhs);
        const rhs = this.plan(expr.rhs);
        const valueType = lhs.valueType === 'scalar' && rhs.valueType === 'scalar' ? 'scalar' : 'vector';
        return { type: 'binary', valueType, span, op, lhs, rhs, bool, matching };
      }
      default:
        return unreachable(expr);
    }
  }

  #selector(expr: Extract<Expr, { type: 'vectorSelector' }>, shift: TimeShift): SelectorPlan {
    const { span, matchers, extension } = expr;
    return { type: 'selector', valueType: 'vector', span, matchers, extension, reference: this.#reference(shift) };
  }

  #subquery(expr: Extract<Expr, { type: 'subquery' }>): SubqueryPlan {
    const stepMs = expr.step === undefined ? this.#context.defaultSubqueryStepMs : this.#duration(expr.step, false);
    return {
      type: 'subquery',
      valueType: 'matrix',
      span: expr.span,
      inner: this.plan(expr.expr),
      rangeMs: this.#duration(expr.range, false),
      stepMs,
      reference: this.#reference(expr.shift),
    };
  }

  #call(expr: Extract<Expr, { type: 'call' }>): PlanNode {
    const { span, name } = expr;
    const constant = this.#constants.get(name);
    if (constant !== undefined) return { type: 'number', valueType: 'scalar', span, value: constant };
    const valueType = must(functionSignature(name), name).returns;
    const args = expr.args.map((arg) => this.plan(arg));
    const base = args[0];
    if (name !== 'info' || base === undefined) return { type: 'call', valueType, span, name, args };
    return { type: 'call', valueType, span, name, args: [base, infoSelector(base, args[1])] };
  }

  #reference({ at, offset }: TimeShift): TimeReference {
    const offsetMs = offset === undefined ? 0 : this.#duration(offset, true);
    return { atMs: this.#atMs(at), offsetMs };
  }

  #atMs(at: TimeShift['at']): TimestampMs | undefined {
    if (at === undefined) return undefined;
    if (at.kind === 'time') return at.timeMs;
    return at.kind === 'start' ? this.#context.startMs : this.#context.endMs;
  }

  /** Whole milliseconds, as Prometheus evaluates. */
  #duration(expr: DurationExpr, allowNegative: boolean): DurationMs {
    return Math.trunc(resolveDuration(expr, this.#context.durations, allowNegative));
  }
}
