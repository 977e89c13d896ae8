import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { Body } from '../../scraper/body.ts';
import type { TargetRequest } from '../../scraper/fetcher.ts';
import { HttpFetcher } from '../../scraper/http-client.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
const clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (run: () => void, delayMs: number) => {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A server of raw bytes: `answer` gets each request's head and what it returns is written, the parts one by one. */
async function serve(
  answer: (head: string, socket: Socket) => readonly (string | Buffer)[] | undefined,
): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      const parts = answer(head, socket);
      head = '';
      void writeParts(socket, parts ?? []);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function writeParts(socket: Socket, parts: readonly (string | Buffer)[]): Promise<void> {
  for (const part of parts) {
    socket.write(part);
    await new Promise((resolve) => void setTimeout(resolve, 1));
  }
}

function client(url: string, more: Partial<TargetRequest> = {}) {
  return new HttpFetcher(clock).connect({
    url,
    unixSocket: undefined,
    headers: [['Accept-Encoding', 'gzip']],
    authorization: undefined,
    tls: undefined,
    followRedirects: true,
    timeoutMs: 2000,
    bodyLimitBytes: 1000,
    ...more,
  });
}

async function get(url: string, more: Partial<TargetRequest> = {}): Promise<string> {
  const body = new Body();
  const target = client(url, more);
  try {
    await target.fetch(body);
    return body.bytes.toString('utf8', 0, body.length);
  } catch (error) {
    return `error: ${(error as Error).message}`;
  } finally {
    target.close();
  }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';
const gzipped = (text: string) => {
  const bytes = gzipSync(text);
  return [`${OK}Content-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`, bytes];
};

describe('bodies', () => {
  test.each<[string, readonly (string | Buffer)[], string]>([
    ['with a length', [`${OK}Content-Length: 4\r\n\r\na 1\n`], 'a 1\n'],
    ['byte by byte', `${OK}Content-Length: 4\r\n\r\na 1\n`.split(''), 'a 1\n'],
    ['chunked', [`${OK}Transfer-Encoding: chunked\r\n\r\n3\r\na 1\r\n1;x=y\r\n\n\r\n0\r\nTrailer: x\r\n\r\n`], 'a 1\n'],
    [
      'chunked, byte by byte',
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\na 1\r\n1\r\n\n\r\n0\r\n\r\n`.split(''),
      'a 1\n',
    ],
    ['gzip', gzipped('a 1\n'), 'a 1\n'],
    ['after 100 Continue', ['HTTP/1.1 100 Continue\r\n\r\n', `${OK}Content-Length: 0\r\n\r\n`], ''],
    ['gzip bomb', gzipped('a'.repeat(100_000)), 'error: body size limit exceeded'],
    ['too long', [`${OK}Content-Length: 1001\r\n\r\n`], 'error: body size limit exceeded'],
    [
      'endless',
      [`${OK}Transfer-Encoding: chunked\r\n\r\nfff\r\n`, Buffer.alloc(2000)],
      'error: body size limit exceeded',
    ],
    [
      '404',
      ['HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n'],
      'error: server returned HTTP status 404 Not Found',
    ],
  ])('%s', async (_, parts, expected) => {
    expect(await get(await serve(() => parts))).toBe(expected);
  });

  test('that ends with the connection', async () => {
    const url = await serve((_, socket) => void socket.end(`${OK}\r\na 1\n`));
    expect(await get(url)).toBe('a 1\n');
  });

  test('that breaks off', async () => {
    expect(await get(await serve((_, socket) => void socket.end(`${OK}Content-Length: 9\r\n\r\na 1`)))).toBe(
      'error: unexpected EOF',
    );
    const gzip = await serve(() =>
      gzipped('a 1\n').map((part) => (typeof part === 'string' ? part : part.fill(0, 12))),
    );
    expect(await get(gzip)).toContain('error: gzip: ');
  });
});

test.each([
  ['both lengths', `${OK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['two lengths', `${OK}Content-Length: 4\r\nContent-Length: 4\r\n\r\n`],
  ['a length with a sign', `${OK}Content-Length: +4\r\n\r\n`],
  ['folding', `${OK}X: a\r\n b\r\n\r\n`],
  ['a name with a blank', `${OK}Content-Length : 4\r\n\r\n`],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['a bad chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n+1\r\n`],
  ['a bare LF in chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n1\n`],
  ['endless headers', `${OK}${'X: y\r\n'.repeat(20_000)}`],
])('a response with %s is refused', async (_, text) => {
  expect(await get(await serve(() => [text]))).toContain('error: net/http: HTTP/1.x transport connection broken');
});

describe('connections', () => {
  test('one is kept between requests, and made anew when the target closed it', async () => {
    let connections = 0;
    const seen = new Set<Socket>();
    const url = await serve((_, socket) => {
      if (!seen.has(socket)) connections++;
      seen.add(socket);
      return [`${OK}Content-Length: 4\r\n\r\na 1\n`];
    });
    const target = client(url);
    const body = new Body();
    for (let i = 0; i < 3; i++) await target.fetch(body);
    expect(connections).toBe(1);
    for (const socket of seen) socket.destroy();
    await target.fetch(body);
    expect(connections).toBe(2);
    target.close();
    await expect(target.fetch(body)).rejects.toThrow('context canceled');
  });

  test('the timeout covers connecting, headers and body, and ends the connection', async () => {
    const closed: Promise<void>[] = [];
    const url = await serve((_, socket) => {
      closed.push(new Promise((resolve) => void socket.once('close', () => resolve())));
      return [`${OK}Content-Length: 4\r\n\r\na`];
    });
    expect(await get(url, { timeoutMs: 30 })).toContain('context deadline exceeded');
    await closed[0];
  });

  test('refused', async () => {
    expect(await get('http://127.0.0.1:1/m')).toBe(
      'error: Get "http://127.0.0.1:1/m": dial tcp 127.0.0.1:1: connect: connection refused',
    );
  });

  test('a password in the address is sent, and not shown', async () => {
    let head = '';
    const url = await serve((text, socket) => {
      head = text;
      return void socket.destroy();
    });
    const withPassword = url.replace('//', '//me:pw@');
    expect(await get(withPassword)).toBe(`error: Get "${url.replace('//', '//me:xxxxx@')}/": EOF`);
    expect(head).toContain(`Authorization: Basic ${btoa('me:pw')}\r\n`);
  });
});

describe('redirects', () => {
  const redirect = (to: string) => [`HTTP/1.1 302 Found\r\nLocation: ${to}\r\nContent-Length: 0\r\n\r\n`];
  const authorization = () => Promise.resolve('Bearer t');

  test('are followed with credentials on the same host only', async () => {
    const heads: string[] = [];
    const other = await serve((head) => {
      heads.push(head);
      return [`${OK}Content-Length: 4\r\n\r\na 1\n`];
    });
    const url = await serve((head) => {
      heads.push(head);
      return head.startsWith('GET /b') ? redirect(other.replace('127.0.0.1', 'localhost')) : redirect('/b');
    });
    expect(await get(`${url}/a`, { authorization })).toBe('a 1\n');
    expect(heads.map((head) => head.includes('Bearer t'))).toEqual([true, true, false]);
  });

  test('end after ten, or at once where they are off', async () => {
    const url = await serve(() => redirect('/again'));
    expect(await get(url)).toBe(`error: Get "${url}/": stopped after 10 redirects`);
    expect(await get(url, { followRedirects: false })).toBe('error: server returned HTTP status 302 Found');
    expect(await get(await serve(() => redirect('file:///etc/passwd')))).toContain(
      'unsupported protocol scheme "file"',
    );
  });
});
