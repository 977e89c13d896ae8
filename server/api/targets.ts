import { CodedError } from '../../util/errors.ts';
import { Matcher, type MatchType } from '../../model/matcher.ts';
import type { Metadata } from '../../model/metadata.ts';
import type { MetadataData, TargetsData } from '../../model/http-api.ts';
import type { ScrapeManager, TargetMetadata } from '../../scraper/manager.ts';
import type { QueryPool } from '../workers/query-pool.ts';
import { envelope } from './json.ts';
import { json, type ApiRequest, type Route } from './http.ts';

const STATES = ['any', 'active', 'dropped'];

/** /targets, /scrape_pools, /targets/metadata and /metadata: what the scraper knows. */
export function targetRoutes(scraper: () => ScrapeManager, pool: QueryPool): Route[] {
  const get = (path: string, handle: Route['handle']): Route => ({
    path: `api/v1/${path}`,
    methods: ['GET'],
    isApi: true,
    handle,
  });
  return [
    get('targets', ({ params }) =>
      json(envelope(targetsData(scraper(), params.text('state'), params.text('scrapePool')))),
    ),
    get('scrape_pools', () => json(envelope({ scrapePools: scraper().scrapePools() }))),
    get('targets/metadata', async (request) => json(envelope(await targetMetadata(scraper(), pool, request)))),
    get('metadata', ({ params }) => {
      const limit = integer(params.text('limit'), 'limit must be a number');
      const perMetric = integer(params.text('limit_per_metric'), 'limit_per_metric must be a number');
      return json(envelope(metadataData(scraper().metadata(), params.text('metric'), limit, perMetric)));
    }),
  ];
}

function targetsData(scraper: ScrapeManager, stateText: string, pool: string): unknown {
  const state = stateText.toLowerCase();
  const wanted = STATES.includes(state) ? state : 'any';
  const isWanted = ({ scrapePool }: { readonly scrapePool: string }): boolean => pool === '' || scrapePool === pool;
  const data: Omit<TargetsData, 'droppedTargetCounts'> = {
    activeTargets: wanted === 'dropped' ? [] : scraper.activeTargets().filter(isWanted),
    droppedTargets: wanted === 'active' ? [] : scraper.droppedTargets().filter(isWanted),
  };
  return { ...data, droppedTargetCounts: wanted === 'active' ? null : scraper.droppedTargetCounts() };
}

/** -1 when absent. */
function integer(text: string, complaint: string): number {
  if (text === '') return -1;
  if (!/^[+-]?\d+$/.test(text)) throw new CodedError('bad_data', complaint);
  return Number(text);
}

/** The different metadata of each metric family over all targets. */
function metadataData(
  targets: readonly TargetMetadata[],
  metric: string,
  limit: number,
  perMetric: number,
): MetadataData {
  const found = new Map<string, Map<string, { type: string; unit: string; help: string }>>();
  const add = (name: string, { type, unit, help }: Metadata): void => {
    let variants = found.get(name);
    if (!variants) found.set(name, (variants = new Map()));
    if (perMetric <= 0 || variants.size < perMetric) variants.set(`${type}\n${unit}\n${help}`, { type, unit, help });
  };
  for (const { metadata } of targets) {
    if (metric === '') for (const [name, one] of metadata) add(name, one);
    else if (metadata.has(metric)) add(metric, metadata.get(metric)!);
  }
  const names = [...found.keys()].sort();
  const shown = limit >= 0 ? names.slice(0, limit) : names;
  // Not a literal: __proto__ is a metric name like any other.
  return Object.fromEntries(shown.map((name) => [name, [...found.get(name)!.values()]]));
}

async function targetMetadata(scraper: ScrapeManager, pool: QueryPool, request: ApiRequest): Promise<unknown[]> {
  const { params } = request;
  const limit = integer(params.text('limit'), 'limit must be a number');
  const metric = params.text('metric');
  const matchers = await parseMatchers(pool, request);
  const rows: unknown[] = [];
  for (const { target, metadata } of scraper.metadata()) {
    if (!matchers.every((matcher) => matcher.matches(target[matcher.name] ?? ''))) continue;
    for (const [name, { type, unit, help }] of metadata) {
      if (metric !== '' && name !== metric) continue;
      if (limit >= 0 && rows.length >= limit) return rows;
      rows.push({ target, ...(metric === '' ? { metric: name } : {}), type, help, unit });
    }
  }
  return rows;
}

/** Selectors are parsed in workers only: their stack is deep enough for anything. */
async function parseMatchers(pool: QueryPool, { params, signal }: ApiRequest): Promise<Matcher[]> {
  const selector = params.text('match_target');
  if (selector === '') return [];
  const job = { type: 'check-matchers', name: 'match_target', matches: [selector] } as const;
  const answer = await pool.run(job, { timeoutMs: undefined, gzip: false, signal });
  const body = JSON.parse(Buffer.from(answer.bytes).toString()) as {
    readonly error?: string;
    readonly data?: readonly (readonly { type: MatchType; name: string; value: string }[])[];
  };
  if (body.error !== undefined) throw new CodedError('bad_data', body.error);
  return (body.data?.[0] ?? []).map(({ type, name, value }) => new Matcher(type, name, value));
}
