import type {
  ApiAnswer,
  ApiErrorType,
  BuildInfoData,
  ConfigData,
  FlagsData,
  QueryData,
  RuntimeInfoData,
  TargetsData,
  TsdbStatusData,
} from '../model/http-api.ts';
import { href } from './router.ts';

/** A refused or failed request. `errorType` is the API's, or `network` when no answer came. */
export class ApiError extends Error {
  readonly errorType: ApiErrorType | 'network' | 'starting';

  constructor(errorType: ApiError['errorType'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApiError';
    this.errorType = errorType;
  }
}

export interface Answer<T> {
  readonly data: T;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

export interface RangeRequest {
  readonly query: string;
  /** Seconds, all three. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export const queryInstant = (
  query: string,
  time: number | undefined,
  signal: AbortSignal,
): Promise<Answer<QueryData>> => post('query', time === undefined ? { query } : { query, time: String(time) }, signal);

export const queryRange = (
  { query, start, end, step }: RangeRequest,
  signal: AbortSignal,
): Promise<Answer<QueryData>> =>
  post('query_range', { query, start: String(start), end: String(end), step: String(step) }, signal);

export const fetchTargets = (signal: AbortSignal): Promise<Answer<TargetsData>> => get('targets', signal);
export const fetchConfig = (signal: AbortSignal): Promise<Answer<ConfigData>> => get('status/config', signal);
export const fetchFlags = (signal: AbortSignal): Promise<Answer<FlagsData>> => get('status/flags', signal);
export const fetchRuntimeInfo = (signal: AbortSignal): Promise<Answer<RuntimeInfoData>> =>
  get('status/runtimeinfo', signal);
export const fetchBuildInfo = (signal: AbortSignal): Promise<Answer<BuildInfoData>> => get('status/buildinfo', signal);
export const fetchTsdbStatus = (signal: AbortSignal): Promise<Answer<TsdbStatusData>> => get('status/tsdb', signal);

function get<T>(path: string, signal: AbortSignal): Promise<Answer<T>> {
  return send<T>(path, { signal });
}

function post<T>(path: string, form: Record<string, string>, signal: AbortSignal): Promise<Answer<T>> {
  return send<T>(path, { method: 'POST', body: new URLSearchParams(form), signal });
}

/** Rejects with ApiError, or with the signal's reason when it was aborted. */
async function send<T>(path: string, init: RequestInit & { signal: AbortSignal }): Promise<Answer<T>> {
  let response: Response;
  try {
    response = await fetch(href(`api/v1/${path}`), init);
  } catch (cause) {
    init.signal.throwIfAborted();
    throw new ApiError('network', 'The server does not answer. Is it still running?', { cause });
  }
  if (response.status === 503 && response.headers.has('x-prometheus-stopping')) {
    const isStopping = response.headers.get('x-prometheus-stopping') === 'true';
    throw new ApiError('starting', isStopping ? 'The server is stopping.' : 'The server is starting: reading its log.');
  }
  const answer = await readAnswer<T>(response, init.signal);
  if (answer.status === 'error') throw new ApiError(answer.errorType, answer.error);
  return { data: answer.data, warnings: answer.warnings ?? [], infos: answer.infos ?? [] };
}

async function readAnswer<T>(response: Response, signal: AbortSignal): Promise<ApiAnswer<T>> {
  try {
    return (await response.json()) as ApiAnswer<T>;
  } catch (cause) {
    signal.throwIfAborted();
    throw new ApiError('internal', `HTTP ${response.status}: the answer is not JSON`, { cause });
  }
}

/** The text to show for anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
