// A strict HTTP/1.1 response reader (reliability S13): what two readers could understand differently is refused.
import { unreachable } from '../util/assert.ts';
import type { Body } from './body.ts';
import { FetchError } from './fetcher.ts';

const HEADERS_BYTES_MAX = 64 * 1024;
const CHUNK_LINE_BYTES_MAX = 4096;
const RESERVED_BYTES_MAX = 4 * 1024 * 1024;
const CR = 0x0d;
const LF = 0x0a;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

type State = 'headers' | 'length' | 'chunkSize' | 'chunkData' | 'chunkEnd' | 'trailers' | 'untilClose' | 'done';

/** Reads one response, fed with bytes as they come. Plain bodies go to `into`, compressed ones to `wire` as they are. */
export class ResponseReader {
  status = 0;
  reason = '';
  contentType = '';
  location = '';
  encoding: 'identity' | 'gzip' = 'identity';
  /** The connection can be used again after this response. */
  keepAlive = false;
  /** Something of the response has come. */
  started = false;

  readonly #wire: Body;
  readonly #limitBytes: number;
  #sink: Body;
  #state: State = 'headers';
  /** A header block or line that is not complete yet. */
  #partial = '';
  #left = 0;
  #trailerBytes = 0;

  constructor(into: Body, wire: Body, limitBytes: number) {
    this.#wire = wire;
    this.#sink = into;
    this.#limitBytes = limitBytes;
    into.clear();
    wire.clear();
  }

  /** The body ends where the connection does. */
  get endsAtClose(): boolean {
    return this.#state === 'untilClose';
  }

  /** Takes the next bytes; true when the response is complete. Throws FetchError. */
  feed(chunk: Buffer): boolean {
    this.started = true;
    let at = 0;
    while (at < chunk.length && this.#state !== 'done') at = this.#step(chunk, at);
    // More than was announced: the connection must not be used again.
    if (at < chunk.length) this.keepAlive = false;
    return this.#state === 'done';
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'headers':
        return this.#readHeaders(chunk, at);
      case 'length':
      case 'chunkData':
        return this.#readData(chunk, at);
      case 'untilClose':
        this.#store(chunk.subarray(at));
        return chunk.length;
      case 'chunkSize':
      case 'chunkEnd':
      case 'trailers':
        return this.#readChunkLine(chunk, at);
      case 'done':
        return chunk.length;
      default:
        return unreachable(this.#state);
    }
  }

  #readHeaders(chunk: Buffer, at: number): number {
    // The usual case first: the whole block in one piece, found without making a string of the body behind it.
    const whole = this.#partial === '' ? chunk.indexOf('\r\n\r\n', at, 'latin1') : -1;
    if (whole >= 0 && whole - at <= HEADERS_BYTES_MAX) {
      this.#parseHeaders(chunk.toString('latin1', at, whole));
      return whole + 4;
    }
    const before = this.#partial.length;
    const text = this.#partial + chunk.toString('latin1', at, at + HEADERS_BYTES_MAX + 4);
    const end = text.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (end < 0 || end > HEADERS_BYTES_MAX) {
      if (text.length > HEADERS_BYTES_MAX) throw malformed('response header block larger than 64 kB');
      this.#partial = text;
      return chunk.length;
    }
    this.#partial = '';
    this.#parseHeaders(text.slice(0, end));
    return at + end + 4 - before;
  }

  #parseHeaders(block: string): void {
    const lines = block.split('\r\n');
    const status = STATUS_LINE.exec(lines[0] ?? '');
    if (!status) throw malformed(`malformed HTTP response ${JSON.stringify((lines[0] ?? '').slice(0, 100))}`);
    const code = Number(status[2]);
    // 100 Continue and the like: the real response follows.
    if (code >= 100 && code < 200) return;
    const headers = parseFields(lines.slice(1));
    this.status = code;
    this.reason = status[3] ?? '';
    this.contentType = headers.get('content-type')?.[0] ?? '';
    this.location = headers.get('location')?.[0] ?? '';
    const connection = (headers.get('connection') ?? []).join(',').toLowerCase();
    this.keepAlive = status[1] === '1' ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    this.#setEncoding(headers.get('content-encoding')?.join(',').trim().toLowerCase() ?? '');
    this.#setFraming(headers, code);
  }

  #setEncoding(encoding: string): void {
    if (encoding === 'gzip' || encoding === 'x-gzip') {
      this.encoding = 'gzip';
      this.#sink = this.#wire;
    } else if (encoding !== '' && encoding !== 'identity') {
      throw malformed(`unsupported content encoding ${JSON.stringify(encoding)}`);
    }
  }

  #setFraming(headers: ReadonlyMap<string, readonly string[]>, code: number): void {
    const lengths = headers.get('content-length');
    const transfer = headers.get('transfer-encoding');
    if (lengths && transfer) throw malformed('both Content-Length and Transfer-Encoding');
    if (code === 204 || code === 304) return this.#enter('done');
    if (transfer) {
      if (transfer.join(',').trim().toLowerCase() !== 'chunked') {
        throw malformed(`unsupported transfer encoding ${JSON.stringify(transfer.join(','))}`);
      }
      return this.#enter('chunkSize');
    }
    if (lengths === undefined) {
      this.keepAlive = false;
      return this.#enter('untilClose');
    }
    const text = lengths[0] ?? '';
    if (lengths.length > 1 || !/^\d{1,15}$/.test(text))
      throw malformed(`bad Content-Length ${JSON.stringify(lengths.join(','))}`);
    this.#left = Number(text);
    if (this.#left > this.#limitBytes && this.encoding === 'identity' && code === 200) throw tooLarge();
    // What is announced may never come: no more than this is set aside on its word.
    this.#sink.reserve(Math.min(this.#left + 1, RESERVED_BYTES_MAX));
    return this.#enter(this.#left === 0 ? 'done' : 'length');
  }

  #readData(chunk: Buffer, at: number): number {
    const count = Math.min(this.#left, chunk.length - at);
    this.#store(at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count));
    this.#left -= count;
    if (this.#left === 0) this.#enter(this.#state === 'length' ? 'done' : 'chunkEnd');
    return at + count;
  }

  #readChunkLine(chunk: Buffer, at: number): number {
    const newline = chunk.indexOf(LF, at);
    const end = newline < 0 ? chunk.length : newline + 1;
    this.#partial += chunk.toString('latin1', at, end);
    if (this.#partial.length > CHUNK_LINE_BYTES_MAX) throw malformed('chunk header too long');
    if (newline < 0) return end;
    const line = this.#partial;
    this.#partial = '';
    if (line.charCodeAt(line.length - 2) !== CR) throw malformed('chunk line without CR');
    this.#chunkLine(line.slice(0, -2));
    return end;
  }

  #chunkLine(line: string): void {
    if (this.#state === 'chunkSize') {
      const size = /^([0-9a-fA-F]{1,12})(?:[ \t]*;.*)?$/.exec(line);
      if (!size) throw malformed(`bad chunk size ${JSON.stringify(line.slice(0, 40))}`);
      this.#left = Number.parseInt(size[1]!, 16);
      this.#enter(this.#left === 0 ? 'trailers' : 'chunkData');
    } else if (this.#state === 'chunkEnd') {
      if (line !== '') throw malformed('malformed chunked encoding');
      this.#enter('chunkSize');
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > HEADERS_BYTES_MAX) throw malformed('response trailers larger than 64 kB');
      if (line === '') this.#enter('done');
    }
  }

  #store(bytes: Buffer): void {
    // The body of an error is not kept, only read over.
    if (this.status !== 200) return;
    if (this.#sink.length + bytes.length > this.#limitBytes) throw tooLarge();
    this.#sink.append(bytes);
  }

  #enter(state: State): void {
    this.#state = state;
  }
}

function parseFields(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    // A line that begins with a blank is obsolete folding; its name is not a token either.
    if (!TOKEN.test(name)) throw malformed(`malformed header line ${JSON.stringify(line.slice(0, 100))}`);
    const value = line.slice(colon + 1).trim();
    const key = name.toLowerCase();
    const values = fields.get(key);
    if (values) values.push(value);
    else fields.set(key, [value]);
  }
  return fields;
}

function malformed(message: string): FetchError {
  return new FetchError(`net/http: HTTP/1.x transport connection broken: ${message}`);
}

function tooLarge(): FetchError {
  return new FetchError('body size limit exceeded', { isBodyLimit: true });
}
