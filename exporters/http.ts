import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError, errorText } from '../util/errors.ts';
import { parseExporterFlags, usage } from './flags.ts';
import { createExporters } from './main.ts';
import type { Exporters } from './main.ts';
import type { ExporterOptions } from './options.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const PAGE = `<!doctype html><title>Narthex exporter</title><h1>Narthex exporter</h1>
<ul><li><a href="/metrics">/metrics</a>: everything
<li><a href="/metrics/host">/metrics/host</a>: this machine
<li><a href="/metrics/cadvisor">/metrics/cadvisor</a>: its containers</ul>
`;

export interface ExporterServer {
  /** `http://host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves the built-in exporters over HTTP: `/metrics` (all), `/metrics/host`, `/metrics/cadvisor`, `/`.
 * Rejects with a CodedError when the address cannot be bound. Scrapes that overlap share one reading.
 */
export async function serveExporter(options: ExporterOptions, listenAddress: string): Promise<ExporterServer> {
  const { host, port } = parseListenAddress(listenAddress);
  const exporters = createExporters(options);
  const bodies = bodiesOf(exporters);
  const server = createServer((incoming, answer) => {
    respond(incoming, answer, bodies).catch((error: unknown) => {
      options.log?.error({ err: errorText(error) }, 'scrape failed');
      if (!answer.headersSent) answer.writeHead(500, { 'content-type': 'text/plain' });
      answer.end(`${errorText(error)}\n`);
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    exporters.close();
    const reason = error.code === 'EADDRINUSE' ? 'address already in use' : error.message;
    reject(new CodedError('unavailable', `listen tcp ${listenAddress}: bind: ${reason}`, { cause: error }));
  });
  server.listen(port, host, resolve);
  await promise;
  const bound = server.address() as AddressInfo;
  const shownHost = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    address: `http://${shownHost}:${bound.port}`,
    close: () => {
      exporters.close();
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** The body of each path. */
function bodiesOf(exporters: Exporters): ReadonlyMap<string, () => Promise<string>> {
  const host = shared(() => exporters.host());
  const containers = shared(() => exporters.containers());
  return new Map([
    ['/metrics', async () => (await host()) + (await containers())],
    ['/metrics/host', host],
    ['/metrics/cadvisor', containers],
    ['/', () => Promise.resolve(PAGE)],
  ]);
}

/** One reading at a time: callers that come while it runs get its result. */
function shared(read: () => Promise<string>): () => Promise<string> {
  let running: Promise<string> | undefined;
  return () => (running ??= read().finally(() => (running = undefined)));
}

async function respond(
  incoming: IncomingMessage,
  answer: ServerResponse,
  bodies: ReadonlyMap<string, () => Promise<string>>,
): Promise<void> {
  const path = (incoming.url ?? '/').split('?')[0]!;
  const read = bodies.get(path);
  if (!read) {
    answer.writeHead(404, { 'content-type': 'text/plain' }).end('not found; metrics are at /metrics\n');
    return;
  }
  if (incoming.method !== 'GET' && incoming.method !== 'HEAD') {
    answer.writeHead(405, { 'content-type': 'text/plain', allow: 'GET, HEAD' }).end('only GET and HEAD\n');
    return;
  }
  const body = Buffer.from(await read());
  const type = path === '/' ? 'text/html; charset=utf-8' : CONTENT_TYPE;
  answer.writeHead(200, { 'content-type': type, 'content-length': body.length, 'x-content-type-options': 'nosniff' });
  answer.end(incoming.method === 'HEAD' ? undefined : body);
}

/** `host:port`, `:port` (all addresses) or `[v6]:port`. */
function parseListenAddress(text: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new CodedError('bad_data', `listen address "${text}" is not host:port (as 127.0.0.1:9100 or :9100)`);
  }
  const host = match[1] ?? match[2];
  return { host: host === '' ? undefined : host, port };
}

/**
 * `narthex exporter`: serves until SIGINT or SIGTERM. Resolves with the exit code: 0, 1 when the address cannot be
 * bound, 2 for a wrong flag.
 */
export async function exporterMain(args: readonly string[]): Promise<number> {
  let server: ExporterServer;
  try {
    const flags = parseExporterFlags(args);
    if (flags.type === 'help') {
      process.stdout.write(usage());
      return 0;
    }
    if (flags.type === 'version') {
      process.stdout.write(`narthex exporter, version ${readVersion()}\n`);
      return 0;
    }
    server = await serveExporter(flags.options, flags.listenAddress);
  } catch (error) {
    process.stderr.write(`narthex exporter: error: ${errorText(error)}\n`);
    return error instanceof CodedError && error.code === 'bad_data' ? 2 : 1;
  }
  process.stderr.write(`narthex exporter: metrics at ${server.address}/metrics\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await server.close();
  return 0;
}

/** From the package's own package.json, one folder up in a clone and two in the published build. */
function readVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Record<
        string,
        unknown
      >;
      if (name === 'narthex' && typeof version === 'string') return version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
