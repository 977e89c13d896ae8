/**
 * What the HTTP API answers under /api/v1, as JSON gives it: shared by the server's routes and the console. Types only.
 * Timestamps are seconds (numbers) where Prometheus writes numbers, RFC 3339 text where it writes text.
 */
export type ApiErrorType =
  | 'bad_data'
  | 'execution'
  | 'timeout'
  | 'canceled'
  | 'internal'
  | 'unavailable'
  | 'not_found'
  | 'not_acceptable';

/** The envelope of every answer. `warnings` and `infos` are left out when empty. */
export type ApiAnswer<T> =
  | { readonly status: 'success'; readonly data: T; readonly warnings?: string[]; readonly infos?: string[] }
  | { readonly status: 'error'; readonly errorType: ApiErrorType; readonly error: string; readonly data?: unknown };

export type LabelSet = Readonly<Record<string, string>>;
/** Seconds, and the value as Prometheus prints it (`NaN`, `+Inf`, `1e-07`). */
export type ApiPoint = readonly [time: number, value: string];

export interface ApiHistogram {
  readonly count: string;
  readonly sum: string;
  /** Boundary rule (0 open left, 1 open right, 2 open both, 3 closed both), lower bound, upper bound, count. */
  readonly buckets?: readonly (readonly [rule: number, lower: string, upper: string, count: string])[];
}

export interface VectorSeries {
  readonly metric: LabelSet;
  readonly value?: ApiPoint;
  readonly histogram?: readonly [time: number, value: ApiHistogram];
}

export interface MatrixSeries {
  readonly metric: LabelSet;
  readonly values?: readonly ApiPoint[];
  readonly histograms?: readonly (readonly [time: number, value: ApiHistogram])[];
}

export interface QueryStats {
  /** Seconds. */
  readonly timings: Readonly<Record<string, number>>;
  readonly samples: { readonly totalQueryableSamples: number; readonly peakSamples: number };
}

/** `data` of /query and /query_range (the latter always a matrix). */
export type QueryData = { readonly stats?: QueryStats } & (
  | { readonly resultType: 'vector'; readonly result: readonly VectorSeries[] }
  | { readonly resultType: 'matrix'; readonly result: readonly MatrixSeries[] }
  | { readonly resultType: 'scalar' | 'string'; readonly result: ApiPoint }
);

export type TargetHealth = 'up' | 'down' | 'unknown';

export interface ActiveTarget {
  readonly discoveredLabels: LabelSet;
  readonly labels: LabelSet;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  /** RFC 3339; year 1 when it has not been scraped. */
  readonly lastScrape: string;
  /** Seconds. */
  readonly lastScrapeDuration: number;
  readonly health: TargetHealth;
  /** Prometheus durations. */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

/** `data` of /targets. */
export interface TargetsData {
  readonly activeTargets: readonly ActiveTarget[];
  readonly droppedTargets: readonly { readonly discoveredLabels: LabelSet; readonly scrapePool: string }[];
  readonly droppedTargetCounts: Readonly<Record<string, number>>;
}

/** `data` of /metadata. */
export type MetadataData = Readonly<Record<string, readonly { type: string; unit: string; help: string }[]>>;

/** `data` of /status/config. */
export interface ConfigData {
  readonly yaml: string;
}

/** `data` of /status/flags. */
export type FlagsData = Readonly<Record<string, string>>;

/** `data` of /status/runtimeinfo. */
export interface RuntimeInfoData {
  readonly startTime: string;
  readonly CWD: string;
  readonly hostname: string;
  readonly serverTime: string;
  readonly reloadConfigSuccess: boolean;
  readonly lastConfigTime: string;
  readonly corruptionCount: number;
  readonly goroutineCount: number;
  readonly GOMAXPROCS: number;
  readonly GOMEMLIMIT: number;
  readonly GOGC: string;
  readonly GODEBUG: string;
  readonly storageRetention: string;
}

/** `data` of /status/buildinfo. */
export interface BuildInfoData {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
}

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

/** `data` of /status/tsdb; the lists are descending. Times in ms. */
export interface TsdbStatusData {
  readonly headStats: {
    readonly numSeries: number;
    readonly numLabelPairs: number;
    readonly chunkCount: number;
    readonly minTime: number;
    readonly maxTime: number;
  };
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}
