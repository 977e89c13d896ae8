// The HTTP server: fastify with our own form parser, packing, limits and texts. Routes are tables of `Route`.
import { gzip } from 'node:zlib';
import type { IncomingMessage, Server } from 'node:http';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

export type { FastifyInstance };
import { CodedError, errorText } from '../../util/errors.ts';
import type { Log } from '../../util/host.ts';
import { publicText } from './errors.ts';
import { errorEnvelope } from './json.ts';
import { Params } from './params.ts';
import type { Refusal, RequestGuard } from './guard.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT';

export interface ApiRequest {
  readonly method: string;
  /** Query string and form body. Throws bad_data on the first use when they are not form data. */
  readonly params: Params;
  /** As it stands in the address, without the question mark. */
  readonly query: string;
  /** Of the path, unescaped. */
  readonly path: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  /** Raw; empty when there was none. */
  readonly body: Uint8Array;
  readonly acceptsGzip: boolean;
  /** Aborted when the client is gone before it has its answer. */
  readonly signal: AbortSignal;
}

export interface ApiAnswer {
  readonly status: number;
  /** '' sends none. */
  readonly type: string;
  readonly body: string | Uint8Array;
  /** `body` is packed already. */
  readonly isGzip?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  /** Below the route prefix, in fastify's notation. */
  readonly path: string;
  readonly methods: readonly Method[];
  /** Name in metrics; the path when absent. */
  readonly handler?: string;
  /** Answered while the database is not ready, too. */
  readonly whileStarting?: boolean;
  /** Changes something: refused to other sites' pages (S9). */
  readonly changesState?: boolean;
  /** Part of the JSON API: OPTIONS, CORS and JSON errors. */
  readonly isApi: boolean;
  /** Text for a method that is not among `methods`. */
  readonly wrongMethodText?: string;
  readonly bodyBytesMax?: number;
  handle(request: ApiRequest): Promise<ApiAnswer> | ApiAnswer;
}

export interface HttpOptions {
  /** `/` or `/prefix/`. */
  readonly prefix: string;
  readonly readTimeoutMs: number;
  readonly maxConnections: number;
  readonly guard: RequestGuard;
  readonly log: Log;
  readonly observer: HttpObserver;
  /** Why requests of the API are refused now; undefined when they are not. */
  readonly notReady: () => 'starting' | 'stopping' | undefined;
}

export interface HttpObserver {
  answered(handler: string, status: number, seconds: number, bytes: number): void;
  refused(reason: string): void;
}

export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Go's limit for forms. */
const FORM_BYTES_MAX = 10 * 1024 * 1024;
const HEADER_BYTES_MAX = 32 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 75_000;
const TIMEOUT_CHECK_MS = 2000;
const GZIP_BYTES_MIN = 1400;
/** Connections beyond the limit, for health and readiness only (O12). */
const RESERVED_CONNECTIONS = 32;

export function text(status: number, body: string): ApiAnswer {
  return { status, type: TEXT_TYPE, body };
}

export function json(body: Uint8Array): ApiAnswer {
  return { status: 200, type: JSON_TYPE, body };
}

/** The server with its routes; it does not listen yet. */
export function createHttp(options: HttpOptions, routes: readonly Route[]): FastifyInstance {
  const { prefix, maxConnections, observer } = options;
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: FORM_BYTES_MAX,
    requestTimeout: options.readTimeoutMs,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false },
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      insecureHTTPParser: false,
    },
    // A path that cannot be decoded is one that does not exist.
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      void reply.code(404).type(TEXT_TYPE).send('404 page not found\n');
    },
  });
  limitConnections(app.server, maxConnections, observer);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(options.guard.answerHeaders(request.raw));
    const busy = isOverfull(app.server, maxConnections) && !isHealthPath(request.raw.url ?? '', prefix);
    const refusal: Refusal | undefined = busy
      ? { status: 503, reason: 'connections', text: `more than ${maxConnections} connections (--web.max-connections)` }
      : options.guard.check(request.raw);
    if (!refusal) return done();
    observer.refused(refusal.reason);
    if (busy) void reply.header('connection', 'close');
    void reply.code(refusal.status).type(TEXT_TYPE).send(`${refusal.text}\n`);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(TEXT_TYPE).send('404 page not found\n'));
  app.setErrorHandler((error, request, reply) => {
    void sendError(options, error, request, reply);
  });
  for (const route of routes) addRoute(app, options, route);
  return app;
}

function limitConnections(server: Server, maxConnections: number, observer: HttpObserver): void {
  server.maxConnections = maxConnections + RESERVED_CONNECTIONS;
  server.on('drop', () => observer.refused('connections'));
  let open = 0;
  server.on('connection', (socket) => {
    openConnections.set(server, ++open);
    socket.once('close', () => openConnections.set(server, --open));
  });
}

const openConnections = new WeakMap<Server, number>();

/** Connections that are open now. */
function connectionCount(server: Server): number {
  return openConnections.get(server) ?? 0;
}

function isOverfull(server: Server, maxConnections: number): boolean {
  return connectionCount(server) > maxConnections;
}

function isHealthPath(url: string, prefix: string): boolean {
  return url.startsWith(`${prefix}-/healthy`) || url.startsWith(`${prefix}-/ready`);
}

function addRoute(app: FastifyInstance, options: HttpOptions, route: Route): void {
  const allowed = [...route.methods, ...(route.isApi ? ['OPTIONS'] : [])].sort().join(', ');
  const handlerName = route.handler ?? `/${route.path}`;
  app.all(
    options.prefix + route.path,
    { bodyLimit: route.bodyBytesMax ?? FORM_BYTES_MAX, config: { route } },
    async (request, reply) => {
      const started = performance.now();
      const answer = await answerOf(route, options, request, reply, allowed);
      if (answer === undefined) return reply;
      const sentBytes = await send(reply, answer, acceptsGzip(request.raw));
      options.observer.answered(handlerName, answer.status, (performance.now() - started) / 1000, sentBytes);
      return reply;
    },
  );
}

/** undefined when the client is gone. */
async function answerOf(
  route: Route,
  options: HttpOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: string,
): Promise<ApiAnswer | undefined> {
  const { method } = request.raw;
  if (route.isApi && method === 'OPTIONS') return { status: 204, type: '', body: '' };
  if (!(route.methods as readonly string[]).includes(method ?? '')) {
    const body = route.wrongMethodText ?? 'Method Not Allowed\n';
    return { ...text(405, body), headers: { allow: allowed } };
  }
  const state = route.whileStarting === true ? undefined : options.notReady();
  if (state !== undefined) {
    const headers = { 'x-prometheus-stopping': String(state === 'stopping') };
    return { ...text(503, 'Service Unavailable'), headers };
  }
  if (route.changesState === true) {
    const refusal = options.guard.checkOrigin(request.raw);
    if (refusal) {
      options.observer.refused(refusal.reason);
      return text(refusal.status, `${refusal.text}\n`);
    }
  }
  const gone = new AbortController();
  const onClose = (): void => {
    if (!reply.raw.writableFinished) gone.abort(new CodedError('canceled', 'the client is gone'));
  };
  reply.raw.once('close', onClose);
  try {
    return await route.handle(toApiRequest(request, gone.signal));
  } catch (error) {
    if (gone.signal.aborted && reply.raw.destroyed) return undefined;
    return errorAnswer(options, route, error);
  } finally {
    reply.raw.off('close', onClose);
  }
}

function toApiRequest(request: FastifyRequest, signal: AbortSignal): ApiRequest {
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
  let params: Params | undefined;
  return {
    method: request.raw.method ?? '',
    get params() {
      params ??= new Params(formText(request, body), queryText(request.raw.url ?? ''));
      return params;
    },
    query: queryText(request.raw.url ?? ''),
    path: (request.params ?? {}) as Record<string, string>,
    headers: request.raw.headers,
    body,
    acceptsGzip: acceptsGzip(request.raw),
    signal,
  };
}

function formText(request: FastifyRequest, body: Uint8Array): string {
  const type = (request.raw.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  return type === 'application/x-www-form-urlencoded' ? Buffer.from(body).toString() : '';
}

function queryText(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** `gzip` anywhere in Accept-Encoding; q-values are ignored, as Prometheus does. */
function acceptsGzip(request: IncomingMessage): boolean {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && accepted.split(',').some((part) => part.split(';')[0]!.trim() === 'gzip');
}

function errorAnswer({ log }: HttpOptions, route: Route, error: unknown): ApiAnswer {
  if (!(error instanceof CodedError)) {
    log.error(
      { path: route.path, err: error instanceof Error ? error.stack : String(error) },
      'request failed by a bug',
    );
  }
  const { status, bytes } = errorEnvelope(error);
  const retry: Record<string, string> = error instanceof CodedError && 'reason' in error ? { 'retry-after': '1' } : {};
  if (!route.isApi) return { ...text(status, `${publicText(error)}\n`), headers: retry };
  return { status, type: JSON_TYPE, body: bytes, headers: retry };
}

/** Errors of fastify itself: a body that is too long, a content length that is wrong. */
async function sendError(
  options: HttpOptions,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const config = request.routeOptions.config as { readonly route?: Route };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const limit = config.route?.bodyBytesMax ?? FORM_BYTES_MAX;
    await send(reply, text(413, `request body exceeds the ${limit} bytes limit\n`), false);
    return;
  }
  if (code.startsWith('FST_ERR_CTP')) {
    await send(reply, text(400, `${errorText(error)}\n`), false);
    return;
  }
  options.log.error({ path: request.url, err: errorText(error) }, 'request failed');
  await send(reply, text(500, 'internal error\n'), false);
}

/** Returns the bytes of the body as sent. */
async function send(reply: FastifyReply, answer: ApiAnswer, wantsGzip: boolean): Promise<number> {
  const { status, type, headers } = answer;
  let body: Uint8Array = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  let isGzip = answer.isGzip === true;
  if (!isGzip && wantsGzip && body.length >= GZIP_BYTES_MIN) {
    body = await packed(body);
    isGzip = true;
  }
  void reply.code(status);
  if (type !== '') void reply.header('content-type', type);
  if (headers) void reply.headers(headers);
  if (isGzip) void reply.header('content-encoding', 'gzip');
  if (status === 204) await reply.send();
  else await reply.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  return body.length;
}

function packed(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    gzip(bytes, { level: 1 }, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
