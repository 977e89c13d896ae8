import { useSignal } from '@preact/signals';
import type { ActiveTarget } from '../../model/http-api.ts';
import { parseDuration } from '../../model/time.ts';
import { errorText, fetchTargets } from '../api.ts';
import { formatAgo, formatSeconds } from '../format.ts';
import { Message } from '../message.tsx';
import { useResource, useTick } from '../resource.ts';
import { Bar } from './tiles.tsx';

const REFRESH_MS = 5000;
const HEALTH_SIGN = { up: '●', down: '✕', unknown: '○' } as const;

/** What is scraped, by job: health, last error, how long a scrape took against its timeout. */
export function TargetsPage() {
  const tick = useTick(REFRESH_MS);
  const { data, error } = useResource(String(tick), fetchTargets).value;
  const filter = useSignal('');
  const isOnlyDown = useSignal(false);
  const targets = (data?.data.activeTargets ?? []).filter(
    (target) => (!isOnlyDown.value || target.health !== 'up') && matches(target, filter.value),
  );
  const pools = Map.groupBy(targets, ({ scrapePool }) => scrapePool);
  const all = data?.data.activeTargets ?? [];
  const up = all.filter(({ health }) => health === 'up').length;
  return (
    <div class="page">
      <div class="page-head">
        <h1>
          Targets <span class="dim count">{data && `${up} of ${all.length} up`}</span>
        </h1>
        <div class="controls">
          <label class="check">
            <input
              type="checkbox"
              checked={isOnlyDown.value}
              onChange={(event) => (isOnlyDown.value = event.currentTarget.checked)}
            />
            Only those not up
          </label>
          <input
            type="search"
            class="filter"
            placeholder="Filter by label, URL or error"
            aria-label="Filter targets"
            value={filter.value}
            onInput={(event) => (filter.value = event.currentTarget.value)}
          />
        </div>
      </div>
      {error !== undefined && <Message kind="error" title={errorText(error)} />}
      {data === undefined && error === undefined && (
        <div class="card skeleton table-skeleton" role="status" aria-label="Loading" />
      )}
      {data !== undefined && all.length === 0 && (
        <Message kind="empty" title="Nothing is scraped">
          The configuration has no scrape_configs with targets.
        </Message>
      )}
      {all.length > 0 && targets.length === 0 && <Message kind="empty" title="No target fits the filter" />}
      {[...pools].map(([pool, members]) => (
        <Pool key={pool} name={pool} targets={members} />
      ))}
    </div>
  );
}

function matches(target: ActiveTarget, filter: string): boolean {
  const text = filter.trim().toLowerCase();
  if (text === '') return true;
  const labels = Object.entries(target.labels).map(([name, value]) => `${name}="${value}"`);
  return [target.scrapePool, target.scrapeUrl, target.lastError, ...labels].some((part) =>
    part.toLowerCase().includes(text),
  );
}

function Pool({ name, targets }: { readonly name: string; readonly targets: readonly ActiveTarget[] }) {
  const up = targets.filter(({ health }) => health === 'up').length;
  return (
    <section class="card" aria-label={`Job ${name}`}>
      <header class="card-head">
        <h3>{name}</h3>
        <span class={up === targets.length ? 'dim' : 'bad'}>
          {up} of {targets.length} up
        </span>
      </header>
      <div class="table-scroll">
        <table class="targets">
          <thead>
            <tr>
              <th>Endpoint</th>
              <th>Health</th>
              <th>Labels</th>
              <th class="num">Last scrape</th>
              <th>Took, of its timeout</th>
            </tr>
          </thead>
          <tbody>
            {targets.map((target) => (
              <TargetRow key={target.scrapeUrl + JSON.stringify(target.labels)} target={target} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function TargetRow({ target }: { readonly target: ActiveTarget }) {
  const { health, scrapeUrl, labels, lastError, lastScrape, lastScrapeDuration, scrapeInterval, scrapeTimeout } =
    target;
  const timeout = parseDuration(scrapeTimeout) / 1000;
  return (
    <>
      <tr class={lastError === '' ? '' : 'has-error'}>
        <td class="mono">
          <a href={target.globalUrl} target="_blank" rel="noreferrer">
            {scrapeUrl}
          </a>
        </td>
        <td>
          <span class={`health is-${health}`}>
            <span aria-hidden="true">{HEALTH_SIGN[health]}</span> {health}
          </span>
        </td>
        <td>
          <Labels labels={labels} />
        </td>
        <td class="num nowrap">
          {formatAgo(Date.parse(lastScrape), Date.now())}
          <div class="dim">every {scrapeInterval}</div>
        </td>
        <td class="took">
          {formatSeconds(lastScrapeDuration)} <span class="dim">of {scrapeTimeout}</span>
          <Bar part={lastScrapeDuration / timeout} />
        </td>
      </tr>
      {lastError !== '' && (
        <tr class="error-row">
          <td colSpan={5}>
            <Message kind="error" title={lastError} />
          </td>
        </tr>
      )}
    </>
  );
}

/** A label set as small boxes. */
export function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  return (
    <span class="labels">
      {Object.entries(labels).map(([name, value]) => (
        <span key={name} class="label-box">
          {name}
          <b>="{value}"</b>
        </span>
      ))}
    </span>
  );
}
