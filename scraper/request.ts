import type { Host } from '../util/host.ts';
import type { ScrapeConfig } from './config.ts';
import type { TargetRequest } from './fetcher.ts';
import { acceptHeader } from './format/negotiate.ts';
import { authorizationOf, tlsOf } from './http-config.ts';
import type { Target } from './target.ts';

/** The request that scrapes a target, headers as Prometheus sends them. */
export function requestOf(
  target: Target,
  config: ScrapeConfig,
  context: { readonly host: Host; readonly userAgent: string; readonly bodyLimitBytes: number },
): TargetRequest {
  const { fs } = context.host;
  const headers: [string, string][] = [
    ['User-Agent', context.userAgent],
    ['Accept', acceptHeader(config.scrapeProtocols, config.nameEscaping)],
    ['Accept-Encoding', config.enableCompression && !isLoopback(target) ? 'gzip' : 'identity'],
    ['X-Prometheus-Scrape-Timeout-Seconds', String(target.timeoutMs / 1000)],
  ];
  for (const [name, header] of config.http.headers) {
    for (const value of header.values) headers.push([name, value]);
    for (const secret of header.secrets) headers.push([name, secret.reveal()]);
  }
  return {
    url: target.scrapeUrl,
    unixSocket: target.unixSocket,
    headers,
    authorization: authorizationOf(config.http, fs),
    tls: tlsOf(config.http, fs),
    followRedirects: config.http.followRedirects,
    timeoutMs: target.timeoutMs,
    bodyLimitBytes: config.bodySizeLimitBytes === 0 ? context.bodyLimitBytes : config.bodySizeLimitBytes,
  };
}

/**
 * Between processes of one machine compressing only costs: here 1.6-2.1 us of CPU per sample with gzip, 0.6-0.7 us without, and
 * the target pays as well (bench/scrape.bench.ts). Prometheus asks for gzip there too.
 */
function isLoopback(target: Target): boolean {
  if (target.unixSocket !== undefined) return true;
  const { hostname } = new URL(target.scrapeUrl);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
