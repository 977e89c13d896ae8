// What main and its workers say to each other, always over a MessageChannel of their own. One union per direction.
import type { EngineOptions } from '../../promql/options.ts';
import type { DurationMs, TimestampMs } from '../../model/time.ts';
import type { HeadShare } from '../../tsdb/head/head.ts';
import type { ExporterOptions } from '../../exporters/options.ts';

interface QueryTextJob {
  readonly query: string;
  readonly lookbackDeltaMs: DurationMs | undefined;
  readonly limit: number;
  readonly withStats: boolean;
  /** Warnings that parsing the request gave. */
  readonly warnings: readonly string[];
}

interface SelectorJob {
  /** Texts of `match[]`. */
  readonly matches: readonly string[];
  readonly startMs: TimestampMs;
  readonly endMs: TimestampMs;
  /** 0 is no limit. */
  readonly limit: number;
}

/** What a query worker can be asked. Its answer is the whole HTTP body. */
export type QueryJob =
  | (QueryTextJob & { readonly type: 'instant'; readonly timeMs: TimestampMs })
  | (QueryTextJob & {
      readonly type: 'range';
      readonly startMs: TimestampMs;
      readonly endMs: TimestampMs;
      readonly stepMs: DurationMs;
    })
  | (SelectorJob & { readonly type: 'series' })
  | (SelectorJob & { readonly type: 'label-names' })
  | (SelectorJob & { readonly type: 'label-values'; readonly name: string })
  | { readonly type: 'cardinality'; readonly limit: number }
  | { readonly type: 'format'; readonly query: string }
  | { readonly type: 'parse'; readonly query: string }
  | { readonly type: 'exemplars'; readonly query: string }
  | { readonly type: 'check-matchers'; readonly name: string; readonly matches: readonly string[] };

/** Why a word of the cancel table is set; 0 is not canceled. */
export const CANCEL_NONE = 0;
export const CANCEL_ASKED = 1;

/** What a query worker needs before its first job. */
export interface QueryWorkerSetup {
  /** Reader slot of the head that is this worker's. */
  readonly slot: number;
  readonly head: HeadShare;
  /** Int32 words, one for each job under way. */
  readonly cancelWords: SharedArrayBuffer;
  readonly engine: EngineOptions;
  readonly responseBytesMax: number;
}

export type ToQueryWorker =
  | { readonly type: 'setup'; readonly setup: QueryWorkerSetup }
  | {
      readonly type: 'job';
      readonly id: number;
      readonly job: QueryJob;
      /** Its word in the cancel table. */
      readonly word: number;
      /** From now on. */
      readonly timeoutMs: DurationMs;
      readonly gzip: boolean;
    };

/** How long the phases of a query took, seconds; absent for other jobs. */
export interface QueryTimingsSeconds {
  readonly preparation: number;
  readonly evaluation: number;
  readonly sort: number;
}

export type FromQueryWorker =
  | { readonly type: 'ready' }
  | {
      readonly type: 'done';
      readonly id: number;
      readonly status: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly isGzip: boolean;
      readonly timings: QueryTimingsSeconds | undefined;
      readonly samples: number;
      /** Set when a bug of ours was met: for the log, not for the client. */
      readonly bug: string | undefined;
    };

export type ExporterRead = 'host' | 'containers' | 'has-containers';

export type ToExporterWorker =
  | { readonly type: 'setup'; readonly options: Omit<ExporterOptions, 'log'> }
  | { readonly type: 'read'; readonly id: number; readonly what: ExporterRead };

export type FromExporterWorker =
  | { readonly type: 'body'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly id: number; readonly error: string }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly facts: Readonly<Record<string, unknown>>;
      readonly message: string;
    };
