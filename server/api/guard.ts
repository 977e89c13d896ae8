import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { compileAnchored } from '../../util/regexp.ts';

/** Why a request is not served. */
export interface Refusal {
  readonly status: number;
  /** For metrics. */
  readonly reason: string;
  readonly text: string;
}

export interface RequestGuard {
  /** Headers of every answer to this request (S7, S8). */
  answerHeaders(request: IncomingMessage): Record<string, string>;
  /** Refuses other host names on a loopback listener (S10). */
  check(request: IncomingMessage): Refusal | undefined;
  /** Refuses changes asked for by pages of other sites (S9). */
  checkOrigin(request: IncomingMessage): Refusal | undefined;
}

export interface GuardOptions {
  /** Pattern of origins that may read; '' is none. */
  readonly corsOrigin: string;
  readonly externalUrl: URL | undefined;
}

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "frame-ancestors 'none'",
};

export function createGuard({ corsOrigin, externalUrl }: GuardOptions): RequestGuard {
  const allowsAll = corsOrigin === '.*';
  const allowed = corsOrigin === '' ? undefined : compileAnchored(corsOrigin);
  return {
    answerHeaders(request) {
      const headers: Record<string, string> = { ...SECURITY_HEADERS, vary: 'Origin, Accept-Encoding' };
      const { origin } = request.headers;
      if (origin === undefined || !allowed?.matches(origin)) return headers;
      headers['access-control-allow-origin'] = allowsAll ? '*' : origin;
      headers['access-control-allow-headers'] = 'Accept, Authorization, Content-Type, Origin';
      headers['access-control-allow-methods'] = 'GET, POST, OPTIONS';
      headers['access-control-expose-headers'] = 'Date';
      return headers;
    },
    check(request) {
      const { host } = request.headers;
      if (!isLoopback(request.socket.localAddress ?? '') || host === undefined) return undefined;
      const name = hostName(host);
      if (name === 'localhost' || isLoopback(name) || name === externalUrl?.hostname) return undefined;
      const hint = 'set --web.external-url to the address by which this server is reached';
      return { status: 421, reason: 'host', text: `this server does not answer to the host name "${name}"; ${hint}` };
    },
    checkOrigin({ headers }) {
      const site = headers['sec-fetch-site'];
      const refusal: Refusal = {
        status: 403,
        reason: 'cross_site',
        text: 'refused: the request comes from a page of another site',
      };
      if (site === 'cross-site' || site === 'same-site') return refusal;
      const { origin, host } = headers;
      if (origin === undefined || origin === externalUrl?.origin) return undefined;
      return URL.canParse(origin) && new URL(origin).host === host ? undefined : refusal;
    },
  };
}

/** Without port and brackets, lower case. */
function hostName(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1];
  return (bracketed ?? host.replace(/:\d*$/, '')).toLowerCase();
}

/** 127.0.0.0/8 and ::1, also as IPv4 inside IPv6. */
export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  return (isIP(plain) === 4 && plain.startsWith('127.')) || plain === '::1';
}
