import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ApiAnswer, type ApiRequest, type Route } from './http.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};
/** Addresses of the console's pages, which are all the one index.html. `''` is the start page. */
const PAGES = [
  '',
  'query',
  'explore',
  'alerts',
  'rules',
  'targets',
  'service-discovery',
  'alertmanager-discovery',
  'config',
  'flags',
  'status',
  'tsdb-status',
  'host',
  'containers',
  'networks',
  'sockets',
  'self',
  'learn',
];
const NOT_BUILT = `<!doctype html><title>Narthex</title><h1>Narthex</h1>
<p>The console is not built: run <code>npm run build</code>. The HTTP API is at <code>/api/v1/</code>.</p>
`;
/** Names with a hash of their content never change. */
const FOREVER = 'public, max-age=31536000, immutable';
const REVALIDATE = 'no-cache';

/** No inline script, no inline style, nothing from elsewhere. */
const PAGE_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

interface ConsoleFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly packed: Uint8Array;
}

const pack = promisify(gzip);

/**
 * The console's files as routes of their exact paths: read once, at start, so that nothing of a request ever reaches the
 * file system (S11).
 */
export async function consoleRoutes(prefix: string): Promise<Route[]> {
  const files = await readFiles();
  const index = files.get('index.html') ?? (await toFile('index.html', Buffer.from(NOT_BUILT)));
  const routes: Route[] = PAGES.map((path) => pageRoute(path, '/console', index, REVALIDATE));
  for (const [path, file] of files) {
    if (path !== 'index.html')
      routes.push(pageRoute(path, '/assets', file, path.startsWith('assets/') ? FOREVER : REVALIDATE));
  }
  // Old links of Prometheus; the target is built from our own prefix only.
  routes.push({
    path: 'graph',
    methods: ['GET', 'HEAD'],
    isApi: false,
    whileStarting: true,
    handle: ({ query }: ApiRequest) => redirect(`${prefix}query${query === '' ? '' : `?${query}`}`),
  });
  return routes;
}

function redirect(location: string): ApiAnswer {
  const escaped = location
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&#34;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  const body = `<a href="${escaped}">Found</a>.\n\n`;
  return { status: 302, type: TYPES['.html']!, body, headers: { location } };
}

function pageRoute(path: string, handler: string, file: ConsoleFile, caching: string): Route {
  return {
    path,
    handler,
    methods: ['GET', 'HEAD'],
    isApi: false,
    whileStarting: true,
    handle: ({ acceptsGzip }) => ({
      status: 200,
      type: file.type,
      body: acceptsGzip ? file.packed : file.bytes,
      isGzip: acceptsGzip,
      headers: { 'cache-control': caching, 'content-security-policy': PAGE_POLICY },
    }),
  };
}

/** From dist/ui: in a clone beside server/, in the published build beside dist/server. */
async function readFiles(): Promise<Map<string, ConsoleFile>> {
  const files = new Map<string, ConsoleFile>();
  for (const folder of ['../../dist/ui', '../ui', '../../ui'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )) {
    const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    if (!names.some(({ name }) => name === 'index.html')) continue;
    for (const entry of names) {
      if (!entry.isFile()) continue;
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(folder.length + 1);
      if (TYPES[extname(path)] !== undefined) files.set(path, await toFile(path, await readFile(full)));
    }
    return files;
  }
  return files;
}

async function toFile(path: string, bytes: Uint8Array): Promise<ConsoleFile> {
  return { type: TYPES[extname(path)] ?? 'application/octet-stream', bytes, packed: await pack(bytes) };
}
