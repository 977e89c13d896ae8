import { performance } from 'node:perf_hooks';
import type { QueryControl } from '../../promql/engine.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../promql/options.ts';

/** A server's options with everything experimental in the language switched on. */
export const ENGINE_OPTIONS: EngineOptions = {
  ...DEFAULT_ENGINE_OPTIONS,
  parser: { experimentalFunctions: true, durationExpressions: true, extendedRangeSelectors: true, fillModifiers: true },
};

/** A caller that never cancels and gives way without waiting. */
export const QUERY_CONTROL: QueryControl = {
  isCanceled: () => false,
  now: () => performance.now(),
  yieldTurn: () => Promise.resolve(),
};
