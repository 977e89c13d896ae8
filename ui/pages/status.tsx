import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { NamedCount } from '../../model/http-api.ts';
import { errorText, fetchBuildInfo, fetchConfig, fetchFlags, fetchRuntimeInfo, fetchTsdbStatus } from '../api.ts';
import type { Answer } from '../api.ts';
import { formatBytes, formatTime } from '../format.ts';
import { Message } from '../message.tsx';
import { useResource } from '../resource.ts';
import { isUtc } from '../settings.ts';
import { Bar } from './tiles.tsx';

interface LoadedProps<T> {
  readonly title: string;
  readonly load: (signal: AbortSignal) => Promise<Answer<T>>;
  readonly children: (data: T) => ComponentChildren;
}

/** A page that shows one answer of the API. */
function Loaded<T>({ title, load, children }: LoadedProps<T>) {
  const { data, error } = useResource('once', load).value;
  return (
    <div class="page">
      <div class="page-head">
        <h1>{title}</h1>
      </div>
      {error !== undefined && <Message kind="error" title={errorText(error)} />}
      {data === undefined && error === undefined && (
        <div class="card skeleton table-skeleton" role="status" aria-label="Loading" />
      )}
      {data !== undefined && children(data.data)}
    </div>
  );
}

export function StatusPage() {
  return (
    <>
      <Loaded title="Runtime" load={fetchRuntimeInfo}>
        {(info) => (
          <Facts
            title="Process"
            facts={Object.entries(info).map(([name, value]) => [name, factText(name, value as unknown)])}
          />
        )}
      </Loaded>
      <Loaded title="Build" load={fetchBuildInfo}>
        {(info) => <Facts title="Build" facts={Object.entries(info)} />}
      </Loaded>
    </>
  );
}

const TIMES = new Set(['startTime', 'serverTime', 'lastConfigTime']);

function factText(name: string, value: unknown): string {
  const text = String(value);
  const at = TIMES.has(name) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? text : formatTime(Math.floor(at / 1000) * 1000, isUtc.value);
}

function Facts({ title, facts }: { title: string; facts: readonly (readonly [string, string])[] }) {
  return (
    <div class="card">
      <table class="facts" aria-label={title}>
        <tbody>
          {facts.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="mono">{value === '' ? <span class="dim">(empty)</span> : value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function FlagsPage() {
  const filter = useSignal('');
  return (
    <Loaded title="Flags" load={fetchFlags}>
      {(flags) => (
        <>
          <input
            type="search"
            class="wide-search"
            placeholder="Filter by name or value"
            aria-label="Filter flags"
            value={filter.value}
            onInput={(event) => (filter.value = event.currentTarget.value)}
          />
          <Facts
            title="Flags"
            facts={Object.entries(flags)
              .filter((flag) => flag.some((text) => text.toLowerCase().includes(filter.value.toLowerCase())))
              .map(([name, value]) => [`--${name}`, value])}
          />
        </>
      )}
    </Loaded>
  );
}

export function ConfigPage() {
  return (
    <Loaded title="Configuration" load={fetchConfig}>
      {({ yaml }) => (
        <div class="card">
          <header class="card-head">
            <h3>As it is in force</h3>
            <CopyButton text={yaml} />
          </header>
          <pre class="yaml" tabIndex={0}>
            {yaml}
          </pre>
        </div>
      )}
    </Loaded>
  );
}

function CopyButton({ text }: { readonly text: string }) {
  const state = useSignal('Copy');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      state.value = 'Copied';
    } catch {
      state.value = 'The browser does not allow it';
    }
  };
  return (
    <button type="button" onClick={() => void copy()}>
      {state.value}
    </button>
  );
}

export function TsdbPage() {
  return (
    <Loaded title="Time series database" load={fetchTsdbStatus}>
      {(status) => {
        const { numSeries, numLabelPairs, chunkCount, minTime, maxTime } = status.headStats;
        const span = (ms: number): string => (Math.abs(ms) > 8e15 ? 'none' : formatTime(ms, isUtc.value));
        return (
          <>
            <Facts
              title="Head"
              facts={[
                ['Series', numSeries.toLocaleString('en')],
                ['Label pairs', numLabelPairs.toLocaleString('en')],
                ['Chunks', chunkCount.toLocaleString('en')],
                ['Oldest sample', span(minTime)],
                ['Newest sample', span(maxTime)],
              ]}
            />
            <div class="grid is-lists">
              <TopList title="Series by metric name" items={status.seriesCountByMetricName} />
              <TopList title="Values by label name" items={status.labelValueCountByLabelName} />
              <TopList title="Series by label pair" items={status.seriesCountByLabelValuePair} />
              <TopList title="Memory by label name" items={status.memoryInBytesByLabelName} show={formatBytes} />
            </div>
          </>
        );
      }}
    </Loaded>
  );
}

interface TopListProps {
  readonly title: string;
  readonly items: readonly NamedCount[];
  readonly show?: (value: number) => string;
}

function TopList({ title, items, show = (value) => value.toLocaleString('en') }: TopListProps) {
  const largest = Math.max(1, ...items.map(({ value }) => value));
  return (
    <section class="card" aria-label={title}>
      <header class="card-head">
        <h3>{title}</h3>
      </header>
      <table class="top-list">
        <tbody>
          {items.map(({ name, value }) => (
            <tr key={name}>
              <td class="mono clip" title={name}>
                {name}
                <Bar part={value / largest} isNeutral />
              </td>
              <td class="num">{show(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {items.length === 0 && <Message kind="empty" title="Nothing yet" />}
    </section>
  );
}
