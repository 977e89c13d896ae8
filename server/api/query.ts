import { CodedError } from '../../util/errors.ts';
import type { JobOptions, QueryPool } from '../workers/query-pool.ts';
import type { QueryJob } from '../workers/messages.ts';
import { JSON_TYPE, type ApiAnswer, type ApiRequest, type Method, type Route } from './http.ts';
import { TIME_MS_MAX, TIME_MS_MIN, type Params } from './params.ts';

const GET_POST: readonly Method[] = ['GET', 'POST'];

/** Sends a job to the workers and answers with what comes back. */
export async function answerByWorker(
  pool: QueryPool,
  job: QueryJob,
  { acceptsGzip, signal }: ApiRequest,
  timeoutMs?: JobOptions['timeoutMs'],
): Promise<ApiAnswer> {
  const { status, bytes, isGzip } = await pool.run(job, { timeoutMs, gzip: acceptsGzip, signal });
  return { status, type: JSON_TYPE, body: bytes, isGzip };
}

/** /query, /query_range and what needs only the parser. */
export function queryRoutes(pool: QueryPool, nowMs: () => number): Route[] {
  const route = (path: string, handle: Route['handle']): Route => ({
    path: `api/v1/${path}`,
    methods: GET_POST,
    isApi: true,
    handle,
  });
  return [
    route('query', (request) => {
      const { params } = request;
      const limit = params.limit();
      const timeMs = params.time('time', nowMs());
      const timeoutMs = params.timeout();
      const job: QueryJob = { type: 'instant', query: params.text('query'), timeMs, limit, ...queryOptions(params) };
      return answerByWorker(pool, job, request, timeoutMs);
    }),
    route('query_range', (request) => {
      const { params } = request;
      const limit = params.limit();
      const range = params.range();
      const timeoutMs = params.timeout();
      const job: QueryJob = { type: 'range', query: params.text('query'), ...range, limit, ...queryOptions(params) };
      return answerByWorker(pool, job, request, timeoutMs);
    }),
    route('format_query', (request) =>
      answerByWorker(pool, { type: 'format', query: request.params.text('query') }, request),
    ),
    route('parse_query', (request) =>
      answerByWorker(pool, { type: 'parse', query: request.params.text('query') }, request),
    ),
    route('query_exemplars', (request) => {
      const { params } = request;
      const startMs = params.time('start', TIME_MS_MIN);
      const endMs = params.time('end', TIME_MS_MAX);
      if (endMs < startMs) throw new CodedError('bad_data', 'end timestamp must not be before start timestamp');
      return answerByWorker(pool, { type: 'exemplars', query: params.text('query') }, request);
    }),
  ];
}

function queryOptions(
  params: Params,
): Pick<Extract<QueryJob, { type: 'instant' }>, 'lookbackDeltaMs' | 'withStats' | 'warnings'> {
  const stats = params.text('stats');
  const warnings: string[] = [];
  if (stats !== '' && stats !== 'true' && stats !== 'all') {
    const fate = 'is deprecated and will be rejected in the next major release, use "true" or "all"';
    warnings.push(`value ${JSON.stringify(stats)} for parameter "stats" ${fate}`);
  }
  return { lookbackDeltaMs: params.lookbackDelta(), withStats: stats !== '', warnings };
}
