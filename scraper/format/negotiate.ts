import type { EscapingScheme, ScrapeProtocol } from '../config.ts';
import { CodedError } from '../../util/errors.ts';
import { quoteGo } from '../../model/labels.ts';

/** Formats there is a parser for. Only these are offered, and only these are read when a target sends them anyway. */
const MEDIA_TYPES: Readonly<Partial<Record<ScrapeProtocol, string>>> = {
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
};
/** Weights begin at 0.6, as Prometheus' do, and fall by 0.1. */
const FIRST_WEIGHT = 6;
const TYPE_AND_SUBTYPE = /^\s*([!#$&^_.+\w-]+\/[!#$&^_.+\w-]+)\s*(?:;|$)/;

/** The Accept header for the protocols of a scrape config, best first. */
export function acceptHeader(protocols: readonly ScrapeProtocol[], escaping: EscapingScheme): string {
  let weight = FIRST_WEIGHT;
  const offers: string[] = [];
  for (const protocol of protocols) {
    const mediaType = MEDIA_TYPES[protocol];
    if (mediaType === undefined) continue;
    const suffix = protocol === 'PrometheusText1.0.0' ? `;escaping=${escaping}` : '';
    offers.push(`${mediaType}${suffix};q=0.${weight--}`);
  }
  return [...offers, `*/*;q=0.${weight}`].join(',');
}

/** Throws, in Prometheus' words, unless the body is in the text format. */
export function checkContentType(contentType: string, fallback: ScrapeProtocol | undefined): void {
  const mediaType = TYPE_AND_SUBTYPE.exec(contentType)?.[1]?.toLowerCase();
  if (mediaType === 'text/plain') return;
  const isKnown = mediaType === 'application/openmetrics-text' || mediaType === 'application/vnd.google.protobuf';
  if (isKnown) {
    throw new CodedError(
      'bad_data',
      `received Content-Type ${quoteGo(contentType)}, which is not read yet: let the target offer text/plain`,
    );
  }
  if (fallback !== undefined && fallback in MEDIA_TYPES) return;
  const hint = 'no fallback_scrape_protocol specified for target';
  if (contentType === '') {
    throw new CodedError('bad_data', `non-compliant scrape target sending blank Content-Type and ${hint}`);
  }
  if (mediaType === undefined) {
    throw new CodedError(
      'bad_data',
      `cannot parse Content-Type ${quoteGo(contentType)} and no fallback_scrape_protocol for target`,
    );
  }
  throw new CodedError('bad_data', `received unsupported Content-Type ${quoteGo(contentType)} and ${hint}`);
}
