import { isLegacyLabelName, METRIC_NAME, quoteGo } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import { formatDuration } from '../../model/time.ts';
import { unreachable } from '../../util/assert.ts';
import { formatFloatF, formatFloatG } from '../../util/decimal.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import type {
  Aggregation,
  BinaryExpr,
  BinaryOp,
  DurationExpr,
  Expr,
  MatrixSelector,
  NumberLiteral,
  Subquery,
  TimeShift,
  VectorSelector,
} from './ast.ts';

/** The canonical text of an expression on one line, as Prometheus prints it; parsing it gives the same tree. */
export function printExpr(expr: Expr): string {
  switch (expr.type) {
    case 'numberLiteral':
      return printNumber(expr);
    case 'stringLiteral':
      return quoteGo(expr.value);
    case 'vectorSelector':
      return printSelector(expr) + printAt(expr.shift) + printExtension(expr) + printOffset(expr.shift);
    case 'matrixSelector':
      return printMatrix(expr);
    case 'subquery':
      return printExpr(expr.expr) + printSubquerySuffix(expr);
    case 'aggregation': {
      const param = expr.param ? `${printExpr(expr.param)}, ` : '';
      return `${printAggregationHead(expr)}(${param}${printExpr(expr.expr)})`;
    }
    case 'call':
      return `${expr.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'parenExpr':
      return `(${printExpr(expr.expr)})`;
    case 'unaryExpr':
      return expr.op + printExpr(expr.expr);
    case 'binaryExpr':
      return printChain(expr);
    default:
      return unreachable(expr);
  }
}

/** Left operands in a loop: a chain of thousands of operators is as deep as it is long. */
function printChain(expr: BinaryExpr): string {
  const parts: string[] = [];
  let node: Expr = expr;
  let op: BinaryOp = expr.op;
  while (node.type === 'binaryExpr') {
    parts.push(` ${printOperator(node)} ${printExpr(node.rhs)}`);
    op = node.op;
    node = node.lhs;
  }
  return printFirst(node, op) + parts.reverse().join('');
}

/** `+Inf ^ 2` would be read as `+(Inf ^ 2)`: here the sign is left out, unlike in Prometheus, which prints it. */
export function printFirst(node: Expr, op: BinaryOp): string {
  const isInfinity = node.type === 'numberLiteral' && node.value === Infinity;
  return isInfinity && op === '^' ? 'Inf' : printExpr(node);
}

export function printOperator(expr: BinaryExpr): string {
  const { op, bool, matching } = expr;
  let text: string = bool ? `${op} bool` : op;
  if (!matching) return text;
  const isGrouped = matching.card === 'many-to-one' || matching.card === 'one-to-many';
  if (matching.labels.length > 0 || matching.on || isGrouped) {
    text += ` ${matching.on ? 'on' : 'ignoring'} (${printLabelList(matching.labels)})`;
  }
  if (isGrouped) {
    const side = matching.card === 'many-to-one' ? 'left' : 'right';
    text += ` group_${side} (${printLabelList(matching.include)})`;
  }
  return text + printFill(matching.fillLeft, matching.fillRight);
}

function printFill(left: number | undefined, right: number | undefined): string {
  if (left !== undefined && left === right) return ` fill (${formatFloatG(left)})`;
  const leftText = left === undefined ? '' : ` fill_left (${formatFloatG(left)})`;
  return leftText + (right === undefined ? '' : ` fill_right (${formatFloatG(right)})`);
}

export function printAggregationHead(expr: Aggregation): string {
  if (expr.without) return `${expr.op} without (${printLabelList(expr.grouping)}) `;
  return expr.grouping.length > 0 ? `${expr.op} by (${printLabelList(expr.grouping)}) ` : expr.op;
}

function printLabelList(labels: readonly string[]): string {
  return labels.map(printLabelName).join(', ');
}

function printLabelName(label: string): string {
  return isLegacyLabelName(label) ? label : quoteGo(label);
}

function printNumber(node: NumberLiteral): string {
  if (!node.isDuration) return formatFloatF(node.value);
  return printSeconds(node.value);
}

function printSeconds(seconds: number): string {
  // Rounded to nanoseconds, then cut to the milliseconds that can be written.
  const text = formatDuration(Math.trunc(Math.round(Math.abs(seconds) * 1e9) / 1e6));
  return seconds < 0 ? `-${text}` : text;
}

function printSelector(node: VectorSelector): string {
  const shown = node.matchers.filter((matcher) => !isOwnName(matcher, node.name)).map(printMatcher);
  shown.sort(compareUtf8);
  return shown.length === 0 ? emptySelector(node) : `${node.name}{${shown.join(',')}}`;
}

/** Only inside info() a selector may have neither a name nor a matcher. */
function emptySelector(node: VectorSelector): string {
  return node.name === '' ? '{}' : node.name;
}

function isOwnName(matcher: Matcher, name: string): boolean {
  return matcher.name === METRIC_NAME && matcher.type === '=' && matcher.value === name && name !== '';
}

function printMatcher(matcher: Matcher): string {
  return `${printLabelName(matcher.name)}${matcher.type}${quoteGo(matcher.value)}`;
}

function printMatrix(node: MatrixSelector): string {
  const { selector } = node;
  const range = printTopDuration(node.range);
  const tail = printExtension(selector) + printAt(selector.shift) + printOffset(selector.shift);
  return `${printSelector(selector)}[${range}]${tail}`;
}

export function printSubquerySuffix(node: Subquery): string {
  const step = node.step ? printTopDuration(node.step) : '';
  return `[${printTopDuration(node.range)}:${step}]${printAt(node.shift)}${printOffset(node.shift)}`;
}

function printExtension(selector: VectorSelector): string {
  return selector.extension === undefined ? '' : ` ${selector.extension}`;
}

function printAt(shift: TimeShift): string {
  const { at } = shift;
  if (!at) return '';
  return at.kind === 'time' ? ` @ ${(at.timeMs / 1000).toFixed(3)}` : ` @ ${at.kind}()`;
}

function printOffset(shift: TimeShift): string {
  const { offset } = shift;
  if (!offset || (offset.type === 'durationLiteral' && offset.valueMs === 0)) return '';
  return ` offset ${printTopDuration(offset)}`;
}

/** A duration that is not part of an expression is printed as one even if it was written as a number. */
function printTopDuration(expr: DurationExpr): string {
  return expr.type === 'durationLiteral' ? printSeconds(expr.seconds) : printDuration(expr);
}

function printDuration(expr: DurationExpr): string {
  switch (expr.type) {
    case 'durationLiteral':
      return expr.isNumber ? formatFloatF(expr.seconds) : printSeconds(expr.seconds);
    case 'durationCall':
      return `${expr.name}()`;
    case 'durationParen':
      return `(${printDuration(expr.inner)})`;
    case 'durationUnary':
      return `${expr.op}${printDuration(expr.operand)}`;
    case 'durationBinary': {
      const lhs = printDuration(expr.lhs);
      const rhs = printDuration(expr.rhs);
      if (expr.op === 'min_of' || expr.op === 'max_of') return `${expr.op}(${lhs}, ${rhs})`;
      return `${lhs} ${expr.op} ${rhs}`;
    }
    default:
      return unreachable(expr);
  }
}
