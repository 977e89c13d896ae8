import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, errorText } from '../util/errors.ts';
import type { Log } from '../util/host.ts';
import type { WriteReceiver } from '../remote/write-receiver.ts';
import type { ScrapeManager } from '../scraper/manager.ts';
import { adminRoutes } from './api/admin.ts';
import { consoleRoutes } from './api/console.ts';
import { createGuard, isLoopback } from './api/guard.ts';
import { createHttp, type FastifyInstance, type Route } from './api/http.ts';
import { labelRoutes } from './api/labels.ts';
import { lifecycleRoutes, type Lifecycle } from './api/lifecycle.ts';
import { metricRoutes } from './api/metrics.ts';
import { queryRoutes } from './api/query.ts';
import { ruleRoutes } from './api/rules.ts';
import { statusRoutes, type ServerStatus } from './api/status.ts';
import { targetRoutes } from './api/targets.ts';
import { writeRoute } from './api/write.ts';
import { FlagError, parseListenAddress, type Flags, type ListenAddress } from './flags.ts';
import type { SelfMetrics } from './self-metrics.ts';
import type { ExporterClient } from './workers/exporter-client.ts';
import type { QueryPool } from './workers/query-pool.ts';

/** What the routes reach of the server. */
export interface WebParts {
  readonly pool: QueryPool;
  readonly exporters: ExporterClient | undefined;
  readonly metrics: SelfMetrics;
  readonly status: ServerStatus;
  readonly lifecycle: Lifecycle;
  /** Called only when the server is ready. */
  readonly scraper: () => ScrapeManager;
  readonly receiver: () => WriteReceiver;
  readonly notReady: () => 'starting' | 'stopping' | undefined;
}

/** Connections that do not end by themselves are cut this long after the listeners were closed. */
const CLOSE_GRACE_MS = 1000;

/** The HTTP side: routes, listeners, and where they can be reached. */
export class WebServer {
  readonly #app: FastifyInstance;
  readonly #extra: Server[] = [];
  /** As bound, host:port. */
  readonly addresses: string[] = [];
  readonly prefix: string;

  private constructor(app: FastifyInstance, prefix: string) {
    this.#app = app;
    this.prefix = prefix;
  }

  /** Listens on every address asked for. Rejects with `unavailable`, in one line, when one cannot be had. */
  static async open(flags: Flags, log: Log, parts: WebParts): Promise<WebServer> {
    const externalUrl = parseExternalUrl(flags);
    const prefix = routePrefix(flags, externalUrl);
    const guard = createGuard({ corsOrigin: flags.text('web.cors.origin'), externalUrl });
    const app = createHttp(
      {
        prefix,
        readTimeoutMs: flags.duration('web.read-timeout'),
        maxConnections: flags.number('web.max-connections'),
        guard,
        log,
        observer: parts.metrics,
        notReady: parts.notReady,
      },
      [...routesOf(flags, parts), ...(await consoleRoutes(prefix))],
    );
    const web = new WebServer(app, prefix);
    await app.ready();
    try {
      for (const address of flags.list('web.listen-address')) await web.#listen(parseListenAddress(address), address);
    } catch (error) {
      await web.close();
      throw error;
    }
    return web;
  }

  /** The page to open, reached from this machine. */
  get pageUrl(): string {
    return `http://${this.localAddress}${this.prefix}`;
  }

  /** The first address as it can be reached from this machine. */
  get localAddress(): string {
    return (this.addresses[0] ?? '').replace(/^(?:0\.0\.0\.0|\[::\])(?=:)/, '127.0.0.1');
  }

  /** True when a machine elsewhere may reach it. */
  get isExposed(): boolean {
    return this.addresses.some((address) => !isLoopback(address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')));
  }

  /** Takes no more connections, lets answers under way end shortly, then cuts what is left. */
  async close(): Promise<void> {
    const servers = [this.#app.server, ...this.#extra];
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections();
    }, CLOSE_GRACE_MS);
    await Promise.all([this.#app.close(), ...this.#extra.map(closeServer)]);
    clearTimeout(cut);
  }

  async #listen(address: ListenAddress, shown: string): Promise<void> {
    // Fastify owns one listener; further addresses hand their requests to it.
    const isFirst = this.addresses.length === 0;
    const server = isFirst ? this.#app.server : createServer((incoming, answer) => this.#app.routing(incoming, answer));
    if (!isFirst) {
      this.#extra.push(server);
      copyLimits(this.#app.server, server);
    }
    try {
      await listen(server, address);
    } catch (error) {
      throw new CodedError('unavailable', `cannot listen on ${shown}: ${listenFault(error)}`, { cause: error });
    }
    const bound = server.address() as AddressInfo;
    this.addresses.push(`${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`);
  }
}

function routesOf(flags: Flags, parts: WebParts): Route[] {
  const { pool, exporters, metrics, status, lifecycle, scraper, receiver } = parts;
  const routes = [
    ...lifecycleRoutes(lifecycle),
    ...metricRoutes(() => metrics.text(), exporters),
    ...queryRoutes(pool, status.nowMs),
    ...labelRoutes(pool),
    ...targetRoutes(scraper, pool),
    ...ruleRoutes(),
    ...adminRoutes(),
    ...statusRoutes(status, pool),
  ];
  if (flags.bool('web.enable-remote-write-receiver')) {
    routes.push(writeRoute(receiver, flags.list('web.remote-write-receiver.accepted-protobuf-messages')));
  }
  return routes;
}

/** Throws FlagError. */
function parseExternalUrl(flags: Flags): URL | undefined {
  const text = flags.text('web.external-url');
  if (text === '') return undefined;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new FlagError(`"${text}" is not an http or https address (flag '--web.external-url')`);
  }
  return new URL(text);
}

/** `/` or `/prefix/`. */
function routePrefix(flags: Flags, externalUrl: URL | undefined): string {
  const path = flags.isSet('web.route-prefix') ? flags.text('web.route-prefix') : (externalUrl?.pathname ?? '');
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '/' : `/${trimmed}/`;
}

function copyLimits(from: Server, to: Server): void {
  to.maxConnections = from.maxConnections;
  to.requestTimeout = from.requestTimeout;
  to.headersTimeout = from.headersTimeout;
  to.keepAliveTimeout = from.keepAliveTimeout;
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function listenFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'the address is in use by another process; choose one by --web.listen-address';
  if (code === 'EACCES') return 'not permitted; choose a port above 1023 by --web.listen-address';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address';
  return errorText(error);
}

function closeServer(server: Server): Promise<void> {
  server.closeIdleConnections();
  return new Promise((resolve) => void server.close(() => resolve()));
}
