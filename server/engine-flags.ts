// What the flags mean to the engines' own options.
import { DEFAULT_ENGINE_OPTIONS, DEFAULT_PARSER_OPTIONS, type EngineOptions } from '../promql/options.ts';
import { DEFAULT_DB_OPTIONS, FSYNC_POLICIES, type DbOptions } from '../tsdb/options.ts';
import { FlagError, type Flags } from './flags.ts';
import type { Resources } from './machine.ts';

/** Names of --enable-feature that do something. */
const FEATURES = [
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
];
/** On for good, as in Prometheus. */
const SETTLED_FEATURES = ['promql-duration-expr', 'native-histograms', 'ooo-native-histograms'];

/** What is to be said of the features asked for: names that do nothing, or nothing yet. */
export function featureWarnings(flags: Flags): string[] {
  return flags.list('enable-feature').flatMap((name) => {
    if (FEATURES.includes(name)) return [];
    if (SETTLED_FEATURES.includes(name)) return [`feature ${name} needs no flag any more`];
    return [`feature ${name} is not known, or has no effect yet`];
  });
}

export function engineOptions(flags: Flags, { queryMemoryBytes }: Resources): EngineOptions {
  const features = new Set(flags.list('enable-feature'));
  return {
    ...DEFAULT_ENGINE_OPTIONS,
    parser: {
      ...DEFAULT_PARSER_OPTIONS,
      experimentalFunctions: features.has('promql-experimental-functions'),
      extendedRangeSelectors: features.has('promql-extended-range-selectors'),
      fillModifiers: features.has('promql-binop-fill-modifiers'),
    },
    lookbackDeltaMs: flags.duration('query.lookback-delta'),
    samplesMax: flags.number('query.max-samples'),
    memoryBytesMax: queryMemoryBytes,
    timeoutMs: flags.duration('query.timeout'),
    delayedNameRemoval: features.has('promql-delayed-name-removal'),
  };
}

/** Throws FlagError. */
export function dbOptions(flags: Flags, { maxHeadSeries }: Resources): DbOptions {
  const compression = flags.text('storage.tsdb.wal-compression-type');
  const fsync = FSYNC_POLICIES.find((policy) => policy === flags.text('storage.tsdb.wal-fsync'));
  if (!fsync) throw new FlagError('storage.tsdb.wal-fsync has no such policy');
  return {
    ...DEFAULT_DB_OPTIONS,
    path: flags.text('storage.tsdb.path').replace(/(?<=.)\/+$/, ''),
    noLockfile: flags.bool('storage.tsdb.no-lockfile'),
    walCompression: !flags.bool('storage.tsdb.wal-compression') ? 'none' : compression === 'zstd' ? 'zstd' : 'snappy',
    walSegmentBytes: flags.bytes('storage.tsdb.wal-segment-size'),
    walFsync: fsync,
    walFsyncIntervalMs: flags.duration('storage.tsdb.wal-fsync-interval'),
    maxHeadSeries,
    minFreeBytes: flags.isSet('storage.tsdb.min-free-disk') ? flags.bytes('storage.tsdb.min-free-disk') : undefined,
  };
}
