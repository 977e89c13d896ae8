import type { DurationMs } from '../model/time.ts';

/** What the language accepts beyond its stable core; the names are those of Prometheus' feature flags. */
export interface ParserOptions {
  /** `promql-experimental-functions`: the functions and aggregations marked experimental. */
  readonly experimentalFunctions: boolean;
  /** Arithmetic in durations, `step()` and `range()`: on unless asked for otherwise, as in Prometheus 3.14. */
  readonly durationExpressions: boolean;
  /** `promql-extended-range-selectors`: `anchored` and `smoothed`. */
  readonly extendedRangeSelectors: boolean;
  /** `promql-binop-fill-modifiers`: `fill`, `fill_left` and `fill_right`. */
  readonly fillModifiers: boolean;
}

/** How queries are evaluated. One set for all queries of a server; a request may override the lookback delta. */
export interface EngineOptions {
  readonly parser: ParserOptions;
  /** How old the newest sample of an instant selector may be. */
  readonly lookbackDeltaMs: DurationMs;
  /** Step of a subquery that names none. */
  readonly defaultSubqueryStepMs: DurationMs;
  /** Most samples one query may hold, counted as Prometheus' evaluation would. */
  readonly samplesMax: number;
  /** Most bytes of columns one query may hold (`--query.max-memory`). */
  readonly memoryBytesMax: number;
  readonly timeoutMs: DurationMs;
  /** `promql-delayed-name-removal`: metric names are dropped at the end of the query, not at each operation. */
  readonly delayedNameRemoval: boolean;
}

/** A server's defaults, those of Prometheus 3.14. */
export const DEFAULT_PARSER_OPTIONS: ParserOptions = {
  experimentalFunctions: false,
  durationExpressions: true,
  extendedRangeSelectors: false,
  fillModifiers: false,
};

export const DEFAULT_ENGINE_OPTIONS: EngineOptions = {
  parser: DEFAULT_PARSER_OPTIONS,
  lookbackDeltaMs: 5 * 60_000,
  defaultSubqueryStepMs: 60_000,
  samplesMax: 50_000_000,
  memoryBytesMax: 1 << 30,
  timeoutMs: 2 * 60_000,
  delayedNameRemoval: false,
};
