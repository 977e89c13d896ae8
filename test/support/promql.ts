import { performance } from 'node:perf_hooks';
import { Labels } from '../../model/labels.ts';
import { Engine, type QueryControl, type QueryOutcome } from '../../promql/engine.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../../promql/options.ts';
import { MemoryStorage } from '../../promql/testing/memory-storage.ts';
import type { QueryResult } from '../../promql/value.ts';

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

/** Series as `name{a="b"} 1 2 _ 4`: a sample a minute from time 0, `_` for none, `stale` for a staleness marker. */
export function storageFrom(...lines: readonly string[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const line of lines) {
    const [, name = '', pairs = '', samples = ''] = /^(\w+)(?:\{(.*)\})? (.*)$/.exec(line)!;
    const labels = [...pairs.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label!, value!] as const);
    const rows = samples
      .split(' ')
      .map((text, i) => [i * 60_000, text] as const)
      .filter(([, text]) => text !== '_');
    storage.add(
      Labels.fromPairs([['__name__', name], ...labels]),
      rows.map(([time]) => time),
      rows.map(([, text]) => (text === 'stale' ? NaN : Number(text.replace(/Inf$/, 'Infinity')))),
      rows.map(([, text]) => text === 'stale'),
    );
  }
  return storage;
}

const engine = new Engine(ENGINE_OPTIONS);

export function instantQuery(query: string, storage: MemoryStorage, timeMs: number): Promise<QueryOutcome> {
  return engine.instant({ query, timeMs }, storage, QUERY_CONTROL);
}

export function rangeQuery(
  query: string,
  storage: MemoryStorage,
  axis: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): Promise<QueryOutcome> {
  return engine.range({ query, ...axis }, storage, QUERY_CONTROL);
}

/** Each series as `{labels} value@seconds ...`. */
export function rowsOf(result: QueryResult): string[] {
  if (result.type === 'scalar' || result.type === 'string') return [String(result.value)];
  return result.series.map(({ labels, times, values }) => {
    const points = Array.from(values, (value, i) => `${Object.is(value, -0) ? '-0' : value}@${times[i]! / 1000}`);
    return `${labels.toString()} ${points.join(' ')}`;
  });
}
