// A lean HTTP/1.1 client for scraping: one keep-alive connection per target, one request at a time, one read buffer for
// all plain connections, no agent, no streams per response. The stock client costs more than parsing what it fetched
// (docs/scraping.md). Responses are read by http-response.ts.
import { connect as connectTcp, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Clock, TimerHandle } from '../util/host.ts';
import { errorText } from '../util/errors.ts';
import { Pool } from '../util/pool.ts';
import { Body } from './body.ts';
import {
  FetchError,
  type Fetcher,
  type FetchResult,
  type TargetClient,
  type TargetRequest,
  type TlsSettings,
} from './fetcher.ts';
import { ResponseReader } from './http-response.ts';
import { Inflater } from './inflater.ts';

const REDIRECTS_MAX = 10;
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const READ_BUFFER_BYTES = 256 * 1024;
/** Compressed bodies wait here until they are whole. */
const WIRE_BODIES_KEPT_MAX = 8;
const INFLATERS_KEPT_MAX = 4;

/** Scrapes over TCP, TLS and Unix sockets. */
export class HttpFetcher implements Fetcher {
  readonly #clock: Clock;
  /** Lent to every connection's read callback: its bytes are consumed before the callback returns. */
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #wireBodies = new Pool(
    () => new Body(),
    WIRE_BODIES_KEPT_MAX,
    (body) => body.isWorthKeeping,
  );
  readonly #inflaters = new Pool(() => new Inflater(), INFLATERS_KEPT_MAX);
  readonly #clients = new Set<HttpTargetClient>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connect(request: TargetRequest): TargetClient {
    const shared: Shared = {
      clock: this.#clock,
      readBuffer: this.#readBuffer,
      wireBodies: this.#wireBodies,
      inflaters: this.#inflaters,
    };
    const client = new HttpTargetClient(request, shared, () => this.#clients.delete(client));
    this.#clients.add(client);
    return client;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

interface Shared {
  readonly clock: Clock;
  readonly readBuffer: Buffer;
  readonly wireBodies: Pool<Body>;
  readonly inflaters: Pool<Inflater>;
}

/** One request under way. */
interface Exchange {
  readonly reader: ResponseReader;
  readonly settle: (error: FetchError | undefined) => void;
}

class HttpTargetClient implements TargetClient {
  readonly #request: TargetRequest;
  readonly #shared: Shared;
  readonly #onClose: () => void;
  #socket: Socket | undefined;
  /** Scheme, host and port that the open socket leads to. */
  #socketOrigin = '';
  #exchange: Exchange | undefined;
  #closed = false;

  constructor(request: TargetRequest, shared: Shared, onClose: () => void) {
    this.#request = request;
    this.#shared = shared;
    this.#onClose = onClose;
  }

  async fetch(into: Body): Promise<FetchResult> {
    let timer: TimerHandle | undefined;
    const expired = Promise.withResolvers<never>();
    // Whoever waits at that moment is told by the race; a later rejection is nobody's.
    expired.promise.catch(() => undefined);
    const wire = this.#shared.wireBodies.take();
    try {
      timer = this.#shared.clock.setTimer(() => {
        expired.reject(new FetchError('context deadline exceeded'));
        this.#drop(new FetchError(`Get "${this.#shownUrl()}": context deadline exceeded`));
      }, this.#request.timeoutMs);
      return await Promise.race([this.#follow(into, wire), expired.promise]);
    } finally {
      timer?.cancel();
      this.#shared.wireBodies.give(wire);
    }
  }

  close(): void {
    this.#closed = true;
    this.#drop(new FetchError('context canceled'));
    this.#onClose();
  }

  async #follow(into: Body, wire: Body): Promise<FetchResult> {
    const first = new URL(this.#request.url);
    let url = first;
    for (let redirects = 0; ; redirects++) {
      const reader = await this.#exchangeOnce(url, isSameHost(url, first), into, wire);
      const location = reader.location;
      if (this.#request.followRedirects && REDIRECT_STATUS.has(reader.status) && location !== '') {
        if (redirects >= REDIRECTS_MAX) throw new FetchError(`Get "${this.#shownUrl()}": stopped after 10 redirects`);
        url = resolveRedirect(location, url, this.#shownUrl());
        continue;
      }
      if (reader.status !== 200) {
        throw new FetchError(`server returned HTTP status ${reader.status} ${reader.reason}`.trimEnd());
      }
      if (reader.encoding === 'gzip') await this.#inflate(wire, into);
      return { contentType: reader.contentType };
    }
  }

  async #inflate(wire: Body, into: Body): Promise<void> {
    const inflater = this.#shared.inflaters.take();
    await inflater.inflate(wire, into, this.#request.bodyLimitBytes);
    this.#shared.inflaters.give(inflater);
  }

  /** One request and its response. A connection that was kept and turns out to be gone is tried once more, fresh. */
  async #exchangeOnce(url: URL, withCredentials: boolean, into: Body, wire: Body): Promise<ResponseReader> {
    const text = await this.#requestText(url, withCredentials);
    for (let attempt = 0; ; attempt++) {
      const isReused = this.#socket !== undefined && this.#socketOrigin === url.origin && !this.#socket.destroyed;
      if (!isReused) await this.#open(url);
      const reader = new ResponseReader(into, wire, this.#request.bodyLimitBytes);
      try {
        await this.#send(text, reader);
        if (!reader.keepAlive) this.#drop(undefined);
        return reader;
      } catch (error) {
        const mayRetry = isReused && attempt === 0 && !reader.started && !this.#closed;
        if (!mayRetry || (error instanceof FetchError && error.message.includes('deadline'))) throw error;
      }
    }
  }

  async #requestText(url: URL, withCredentials: boolean): Promise<string> {
    let text = `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n`;
    for (const [name, value] of this.#request.headers) text += `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}\r\n`;
    const authorization = withCredentials ? await this.#authorization(url) : undefined;
    if (authorization !== undefined) text += `Authorization: ${authorization.replaceAll(/[\r\n]/g, ' ')}\r\n`;
    return `${text}\r\n`;
  }

  async #authorization(url: URL): Promise<string | undefined> {
    if (this.#request.authorization) return this.#request.authorization();
    if (url.username === '' && url.password === '') return undefined;
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  }

  #send(text: string, reader: ResponseReader): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: FetchError | undefined) => {
        this.#exchange = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#exchange = { reader, settle };
      if (this.#socket === undefined) settle(new FetchError(`Get "${this.#shownUrl()}": EOF`));
      else this.#socket.write(text, 'latin1');
    });
  }

  async #open(url: URL): Promise<void> {
    if (this.#closed) throw new FetchError('context canceled');
    this.#drop(undefined);
    const socket = await this.#connectSocket(url);
    this.#socket = socket;
    this.#socketOrigin = url.origin;
    await new Promise<void>((resolve, reject) => {
      const isTls = url.protocol === 'https:';
      socket.once(isTls ? 'secureConnect' : 'connect', resolve);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const failure = new FetchError(`Get "${this.#shownUrl()}": ${networkErrorText(error, url)}`, { cause: error });
        reject(failure);
        this.#lost(socket, failure);
      });
      socket.on('close', () => {
        reject(new FetchError(`Get "${this.#shownUrl()}": context deadline exceeded`));
        this.#lost(socket, undefined);
      });
    });
  }

  async #connectSocket(url: URL): Promise<Socket> {
    const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
    const isTls = url.protocol === 'https:';
    const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
    const path = this.#request.unixSocket;
    const where = path === undefined ? { host, port } : { path };
    if (!isTls) {
      const onread: OnReadOpts = {
        buffer: this.#shared.readBuffer,
        callback: (count, bytes) => {
          this.#received(Buffer.from(bytes.buffer, bytes.byteOffset, count));
          return true;
        },
      };
      const socket = connectTcp({ ...where, noDelay: true, onread });
      socket.on('end', () => this.#ended(socket));
      return socket;
    }
    const socket = connectTls({ ...where, ...tlsOptions(host, await this.#request.tls?.()) });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('end', () => this.#ended(socket));
    return socket;
  }

  #received(chunk: Buffer): void {
    const exchange = this.#exchange;
    // Bytes nobody asked for: the connection cannot be trusted any more.
    if (exchange === undefined) return this.#drop(undefined);
    let isDone: boolean;
    try {
      isDone = exchange.reader.feed(chunk);
    } catch (error) {
      const failure = error instanceof FetchError ? error : new FetchError(errorText(error), { cause: error });
      return this.#drop(failure);
    }
    if (isDone) exchange.settle(undefined);
  }

  #ended(socket: Socket): void {
    if (socket !== this.#socket) return;
    const exchange = this.#exchange;
    if (exchange?.reader.endsAtClose === true) exchange.settle(undefined);
    else if (exchange)
      this.#drop(new FetchError(exchange.reader.started ? 'unexpected EOF' : `Get "${this.#shownUrl()}": EOF`));
    this.#drop(undefined);
  }

  /** The socket is gone by itself. */
  #lost(socket: Socket, failure: FetchError | undefined): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.#exchange?.settle(failure ?? new FetchError(`Get "${this.#shownUrl()}": EOF`));
  }

  /** Destroys the socket; a request under way is rejected with `failure`. */
  #drop(failure: FetchError | undefined): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    if (failure !== undefined) this.#exchange?.settle(failure);
  }

  /** The address as errors show it: without a password. */
  #shownUrl(): string {
    const url = new URL(this.#request.url);
    if (url.password !== '') url.password = 'xxxxx';
    return url.href;
  }
}

function tlsOptions(host: string, tls: TlsSettings | undefined): ConnectionOptions {
  // Addresses are not allowed as server names.
  const servername = tls?.serverName ?? (/^[\d.]+$|:/.test(host) ? '' : host);
  if (tls === undefined) return { servername };
  return {
    servername,
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
  };
}

function isSameHost(url: URL, first: URL): boolean {
  const isDowngrade = first.protocol === 'https:' && url.protocol === 'http:';
  return url.hostname === first.hostname && !isDowngrade;
}

function resolveRedirect(location: string, from: URL, shown: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (url === undefined)
    throw new FetchError(`Get "${shown}": failed to parse Location header ${JSON.stringify(location)}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchError(`Get "${location}": unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  return url;
}

const ERRNO_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ECONNRESET: 'connection reset by peer',
};

/** A network failure in the words of Go's net package, which people search for. */
function networkErrorText(error: NodeJS.ErrnoException, url: URL): string {
  const first = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  const facts = first as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
  const code = first.code ?? '';
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${facts.hostname ?? url.hostname}: no such host`;
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${facts.hostname ?? url.hostname}: server misbehaving`;
  const text = ERRNO_TEXTS[code] ?? first.message;
  if (first.syscall === 'connect' && facts.address !== undefined) {
    if (facts.port === undefined) return `dial unix ${facts.address}: connect: ${text}`;
    const address = facts.address.includes(':') ? `[${facts.address}]` : facts.address;
    return `dial tcp ${address}:${facts.port}: connect: ${text}`;
  }
  if (first.syscall !== undefined) return `${first.syscall}: ${text}`;
  return code.startsWith('ERR_') || code === '' ? text : `tls: ${text}`;
}
