import type { TimestampMs } from '../../model/time.ts';
import { unreachable } from '../../util/assert.ts';
import type { AtModifier, Expr, TimeShift, VectorSelector } from '../parse/ast.ts';

/** Functions whose value depends on when they are evaluated, even over selectors that are pinned by `@`. */
const TIME_DEPENDENT: ReadonlySet<string> = new Set(
  (
    'days_in_month day_of_month day_of_week day_of_year hour minute month year ' +
    'time timestamp predict_linear start end range step'
  ).split(' '),
);

/**
 * The expression with `@ timeMs` on every selector and subquery that has no time of its own, so that it means the same
 * at any evaluation time; what is inside a subquery stays. undefined when a function depends on the evaluation time.
 */
export function pinToTime(expr: Expr, timeMs: TimestampMs): Expr | undefined {
  const pinner = new Pinner({ kind: 'time', timeMs });
  const pinned = pinner.pin(expr);
  return pinner.isTimeDependent ? undefined : pinned;
}

class Pinner {
  readonly #at: AtModifier;
  isTimeDependent = false;

  constructor(at: AtModifier) {
    this.#at = at;
  }

  pin(expr: Expr): Expr {
    switch (expr.type) {
      case 'numberLiteral':
      case 'stringLiteral':
        return expr;
      case 'vectorSelector':
        return this.#selector(expr);
      case 'matrixSelector':
        return { ...expr, selector: this.#selector(expr.selector) };
      case 'subquery':
        return { ...expr, shift: this.#shift(expr.shift) };
      case 'call':
        if (TIME_DEPENDENT.has(expr.name)) this.isTimeDependent = true;
        return { ...expr, args: expr.args.map((arg) => this.pin(arg)) };
      case 'aggregation':
        return { ...expr, expr: this.pin(expr.expr), param: expr.param && this.pin(expr.param) };
      case 'binaryExpr':
        return { ...expr, lhs: this.pin(expr.lhs), rhs: this.pin(expr.rhs) };
      case 'parenExpr':
      case 'unaryExpr':
        return { ...expr, expr: this.pin(expr.expr) };
      default:
        return unreachable(expr);
    }
  }

  #selector(selector: VectorSelector): VectorSelector {
    return { ...selector, shift: this.#shift(selector.shift) };
  }

  #shift(shift: TimeShift): TimeShift {
    return shift.at?.kind === 'time' ? shift : { ...shift, at: this.#at };
  }
}
