// A target: what relabelling makes of a discovered address, and where it is scraped.
import { Labels } from '../model/labels.ts';
import { relabel, type RelabelRule } from '../model/relabel.ts';
import { formatDuration, parseDuration, type DurationMs } from '../model/time.ts';
import { errorText } from '../util/errors.ts';
import type { ScrapeConfig } from './config.ts';
import { ADDRESS_LABEL, type TargetGroup } from './discovery/static.ts';

const PARAM_PREFIX = '__param_';

export interface Target {
  /** Two targets with the same key are one. */
  readonly key: string;
  /** What its series carry. */
  readonly labels: Labels;
  readonly discoveredLabels: Labels;
  readonly scrapeUrl: string;
  readonly unixSocket: string | undefined;
  readonly intervalMs: DurationMs;
  readonly timeoutMs: DurationMs;
}

/** Targets of a job. `errors` are of those that cannot be scraped (logged, not shown as targets). */
export interface TargetSet {
  readonly active: readonly Target[];
  /** Discovered labels of what relabelling dropped. */
  readonly dropped: readonly Labels[];
  readonly errors: readonly string[];
}

/** Relabels every target of the groups. */
export function buildTargets(
  config: ScrapeConfig,
  rules: readonly RelabelRule[],
  groups: readonly TargetGroup[],
): TargetSet {
  const active = new Map<string, Target>();
  const dropped: Labels[] = [];
  const errors: string[] = [];
  for (const group of groups) {
    for (const own of group.targets) {
      const discovered = discoveredLabels(config, own, group.labels);
      try {
        const target = buildTarget(config, rules, discovered);
        if (target === undefined) dropped.push(discovered);
        else if (!active.has(target.key)) active.set(target.key, target);
      } catch (error) {
        errors.push(`${discovered.get(ADDRESS_LABEL)}: ${errorText(error)}`);
      }
    }
  }
  return { active: [...active.values()], dropped, errors };
}

/** Own labels before the group's, and both before what the config says. */
function discoveredLabels(
  config: ScrapeConfig,
  own: ReadonlyMap<string, string>,
  group: ReadonlyMap<string, string>,
): Labels {
  const labels = new Map([...group, ...own]);
  const defaults: [string, string][] = [
    ['job', config.jobName],
    ['__scrape_interval__', formatDuration(config.scrapeIntervalMs)],
    ['__scrape_timeout__', formatDuration(config.scrapeTimeoutMs)],
    ['__metrics_path__', config.metricsPath],
    ['__scheme__', config.scheme],
  ];
  for (const [name, values] of config.params) defaults.push([PARAM_PREFIX + name, values[0] ?? '']);
  for (const [name, value] of defaults) if ((labels.get(name) ?? '') === '') labels.set(name, value);
  return Labels.fromPairs(labels);
}

/** undefined when relabelling drops it; throws when it cannot be scraped. */
function buildTarget(config: ScrapeConfig, rules: readonly RelabelRule[], discovered: Labels): Target | undefined {
  const labels = relabel(discovered, rules);
  if (labels === undefined) return undefined;
  const address = labels.get(ADDRESS_LABEL);
  if (address === '') throw new Error('no address');
  if (address.includes('/')) throw new Error(`${JSON.stringify(address)} is not a valid hostname`);
  const intervalMs = durationLabel(labels, '__scrape_interval__', 'scrape interval');
  const timeoutMs = durationLabel(labels, '__scrape_timeout__', 'scrape timeout');
  if (timeoutMs > intervalMs) {
    const facts = `"${formatDuration(timeoutMs)}" > "${formatDuration(intervalMs)}"`;
    throw new Error(`scrape timeout cannot be greater than scrape interval (${facts})`);
  }
  const scrapeUrl = urlOf(labels, config);
  if (!URL.canParse(scrapeUrl)) throw new Error(`${JSON.stringify(scrapeUrl)} is not a valid URL`);
  const own = [...labels.entries()].filter(([name]) => !name.startsWith('__'));
  if (!labels.has('instance')) own.push(['instance', address]);
  const ownLabels = Labels.fromPairs(own);
  const unixSocket = labels.get('__unix_socket__') || undefined;
  return {
    key: `${ownLabels.key()}\n${scrapeUrl}\n${unixSocket ?? ''}`,
    labels: ownLabels,
    discoveredLabels: discovered,
    scrapeUrl,
    unixSocket,
    intervalMs,
    timeoutMs,
  };
}

function durationLabel(labels: Labels, name: string, what: string): DurationMs {
  let durationMs: DurationMs;
  try {
    durationMs = parseDuration(labels.get(name));
  } catch (error) {
    throw new Error(`error parsing ${what}: ${errorText(error)}`, { cause: error });
  }
  if (durationMs === 0) throw new Error(`${what} cannot be 0`);
  return durationMs;
}

function urlOf(labels: Labels, config: ScrapeConfig): string {
  const params = new Map<string, readonly string[]>(config.params);
  for (const [name, value] of labels.entries()) {
    if (!name.startsWith(PARAM_PREFIX)) continue;
    const key = name.slice(PARAM_PREFIX.length);
    params.set(key, [value, ...(params.get(key) ?? []).slice(1)]);
  }
  const names = [...params.keys()].toSorted();
  const query = names.flatMap((name) =>
    (params.get(name) ?? []).map((value) => `${escapeQuery(name)}=${escapeQuery(value)}`),
  );
  const path = labels.get('__metrics_path__');
  const rooted = path === '' || path.startsWith('/') ? path : `/${path}`;
  const escapedPath = encodeURI(rooted).replaceAll('?', '%3F').replaceAll('#', '%23');
  const suffix = query.length === 0 ? '' : `?${query.join('&')}`;
  return `${labels.get('__scheme__')}://${labels.get(ADDRESS_LABEL)}${escapedPath}${suffix}`;
}

/** As Go's url.QueryEscape. */
function escapeQuery(text: string): string {
  const escaped = encodeURIComponent(text).replaceAll('%20', '+');
  return escaped.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
