import { CodedError } from '../util/errors.ts';
import type { Body } from './body.ts';

/** TLS towards a target; file contents, not names. */
export interface TlsSettings {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/** What is asked of one target again and again. */
export interface TargetRequest {
  /** Absolute http or https address. */
  readonly url: string;
  /** Connect to this socket file instead of the address's host. */
  readonly unixSocket: string | undefined;
  /** Without Host and Authorization. */
  readonly headers: readonly (readonly [string, string])[];
  /** Value of the Authorization header, asked for before each request (it may come from a file). */
  readonly authorization: (() => Promise<string>) | undefined;
  readonly tls: (() => Promise<TlsSettings>) | undefined;
  readonly followRedirects: boolean;
  /** Covers connecting, headers and body. */
  readonly timeoutMs: number;
  /** Uncompressed. */
  readonly bodyLimitBytes: number;
}

export interface FetchResult {
  /** '' when the target sent none. */
  readonly contentType: string;
}

/** The way to one target: keeps its connection between scrapes. One request at a time. */
export interface TargetClient {
  /** Fills `into` (cleared first). Rejects with FetchError. */
  fetch(into: Body): Promise<FetchResult>;
  /** Drops the connection; a request under way is rejected. */
  close(): void;
}

/** How scraping reaches its targets: http-client.ts is the real one, tests have their own. */
export interface Fetcher {
  connect(request: TargetRequest): TargetClient;
  close(): void;
}

/** A scrape that brought no body. `message` is what /targets shows. */
export class FetchError extends CodedError {
  readonly isBodyLimit: boolean;

  constructor(message: string, options: { isBodyLimit?: boolean; cause?: unknown } = {}) {
    super('unavailable', message, { cause: options.cause });
    this.isBodyLimit = options.isBodyLimit === true;
  }
}
