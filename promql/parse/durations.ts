import type { Span } from '../../model/annotations.ts';
import type { DurationMs } from '../../model/time.ts';
import { unreachable } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';
import type { DurationExpr, DurationLiteral } from './ast.ts';

/** Seconds that fit int64 nanoseconds. */
const DURATION_SECONDS_MAX = 2 ** 63 / 1e9;

export function durationLiteral(span: Span, seconds: number, isNumber: boolean): DurationLiteral {
  return { type: 'durationLiteral', span, seconds, valueMs: Math.round(seconds * 1e9) / 1e6, isNumber };
}

/** True when the seconds are no duration Prometheus could hold; also for NaN. */
export function isOutOfRange(seconds: number): boolean {
  return !(seconds <= DURATION_SECONDS_MAX && seconds >= -DURATION_SECONDS_MAX);
}

/** What `step()` and `range()` stand for; both 0 in an instant query. */
export interface DurationContext {
  readonly stepMs: DurationMs;
  readonly rangeMs: DurationMs;
}

/**
 * The milliseconds a duration stands for in one query. `allowNegative` is for offsets: a range or a step must be above
 * zero. Throws bad_data with Prometheus' texts.
 */
export function resolveDuration(expr: DurationExpr, context: DurationContext, allowNegative: boolean): DurationMs {
  if (expr.type === 'durationLiteral') return expr.valueMs;
  const seconds = evaluate(expr, context);
  if (Number.isNaN(seconds) || Math.abs(seconds) === Infinity)
    throw durationError(expr.span, 'duration is NaN or infinite');
  if (!allowNegative && seconds <= 0) throw durationError(expr.span, 'duration must be greater than 0');
  if (isOutOfRange(seconds)) throw durationError(expr.span, 'duration is out of range');
  return Math.trunc(seconds * 1000);
}

function evaluate(expr: DurationExpr, context: DurationContext): number {
  switch (expr.type) {
    case 'durationLiteral':
      return expr.seconds;
    case 'durationCall':
      return (expr.name === 'step' ? context.stepMs : context.rangeMs) / 1000;
    case 'durationParen':
      return evaluate(expr.inner, context);
    case 'durationUnary': {
      const value = evaluate(expr.operand, context);
      return expr.op === '-' ? -value : value;
    }
    case 'durationBinary':
      return evaluateBinary(expr, evaluate(expr.lhs, context), evaluate(expr.rhs, context));
    default:
      return unreachable(expr);
  }
}

function evaluateBinary(expr: DurationExpr & { type: 'durationBinary' }, lhs: number, rhs: number): number {
  switch (expr.op) {
    case '+':
      return lhs + rhs;
    case '-':
      return lhs - rhs;
    case '*':
      return lhs * rhs;
    case '/':
      if (rhs === 0) throw durationError(expr.span, 'division by zero');
      return lhs / rhs;
    case '%':
      if (rhs === 0) throw durationError(expr.span, 'modulo by zero');
      return lhs % rhs;
    case '^':
      return lhs ** rhs;
    case 'min_of':
      return Math.min(lhs, rhs);
    case 'max_of':
      return Math.max(lhs, rhs);
    default:
      return unreachable(expr.op);
  }
}

function durationError(span: Span, message: string): CodedError {
  return new CodedError('bad_data', `${span.start}:${span.end}: ${message}`);
}
