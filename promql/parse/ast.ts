import type { Span } from '../../model/annotations.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { DurationMs, TimestampMs } from '../../model/time.ts';

/** `none` is the type of nothing; texts as Prometheus prints them are in parse/check.ts. */
export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'count'
  | 'min'
  | 'max'
  | 'group'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'count_values'
  | 'quantile'
  | 'limitk'
  | 'limit_ratio';

type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^' | 'atan2';
type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SetOp = 'and' | 'or' | 'unless';
type TrimOp = '</' | '>/';
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;

/** `5m`, or a number of seconds. */
export interface DurationLiteral {
  readonly type: 'durationLiteral';
  readonly span: Span;
  /** As written; arithmetic is done on seconds. */
  readonly seconds: number;
  /** Rounded to nanoseconds. */
  readonly valueMs: DurationMs;
  readonly isNumber: boolean;
}

/** A duration as written; a plain literal, or an expression over step() and range() that is resolved before evaluation. */
export type DurationExpr =
  | DurationLiteral
  | { readonly type: 'durationCall'; readonly span: Span; readonly name: 'step' | 'range' }
  | {
      readonly type: 'durationUnary';
      readonly span: Span;
      readonly op: '+' | '-';
      readonly operand: DurationExpr;
    }
  | {
      readonly type: 'durationBinary';
      readonly span: Span;
      readonly op: '+' | '-' | '*' | '/' | '%' | '^' | 'min_of' | 'max_of';
      readonly lhs: DurationExpr;
      readonly rhs: DurationExpr;
    }
  | { readonly type: 'durationParen'; readonly span: Span; readonly inner: DurationExpr };

/** `@ 123.4`, `@ start()`, `@ end()`. */
export type AtModifier =
  | { readonly kind: 'time'; readonly timeMs: TimestampMs }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

/** What may follow a selector or a subquery. */
export interface TimeShift {
  readonly offset: DurationExpr | undefined;
  readonly at: AtModifier | undefined;
}

export interface NumberLiteral {
  readonly type: 'numberLiteral';
  readonly span: Span;
  readonly value: number;
  /** Written as a duration (`5m` = 300); printed as one. */
  readonly isDuration: boolean;
}

interface StringLiteral {
  readonly type: 'stringLiteral';
  readonly span: Span;
  readonly value: string;
}

export interface VectorSelector {
  readonly type: 'vectorSelector';
  readonly span: Span;
  /** The name outside the braces, '' when there is none. It is among the matchers too. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly shift: TimeShift;
  readonly extension: 'anchored' | 'smoothed' | undefined;
}

export interface MatrixSelector {
  readonly type: 'matrixSelector';
  readonly span: Span;
  readonly selector: VectorSelector;
  readonly range: DurationExpr;
}

export interface Subquery {
  readonly type: 'subquery';
  readonly span: Span;
  readonly expr: Expr;
  readonly range: DurationExpr;
  /** undefined: the default step of the engine. */
  readonly step: DurationExpr | undefined;
  readonly shift: TimeShift;
}

export interface Aggregation {
  readonly type: 'aggregation';
  readonly span: Span;
  readonly op: AggregateOp;
  readonly expr: Expr;
  readonly param: Expr | undefined;
  readonly grouping: readonly string[];
  readonly without: boolean;
}

export interface Call {
  readonly type: 'call';
  readonly span: Span;
  readonly name: string;
  readonly args: readonly Expr[];
}

export interface VectorMatching {
  readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly include: readonly string[];
  readonly fillLeft: number | undefined;
  readonly fillRight: number | undefined;
}

export interface BinaryExpr {
  readonly type: 'binaryExpr';
  readonly span: Span;
  readonly op: BinaryOp;
  readonly lhs: Expr;
  readonly rhs: Expr;
  readonly bool: boolean;
  /** undefined when an operand is a scalar. */
  readonly matching: VectorMatching | undefined;
}

interface UnaryExpr {
  readonly type: 'unaryExpr';
  readonly span: Span;
  readonly op: '+' | '-';
  readonly expr: Expr;
}

interface ParenExpr {
  readonly type: 'parenExpr';
  readonly span: Span;
  readonly expr: Expr;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Aggregation
  | Call
  | BinaryExpr
  | UnaryExpr
  | ParenExpr;
