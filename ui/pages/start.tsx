import { formatDuration } from '../../model/time.ts';
import { useResource } from '../resource.ts';
import { place } from '../router.ts';
import { isUtc } from '../settings.ts';
import { formatTime } from '../format.ts';
import { Containers } from './containers.tsx';
import { Filesystems } from './filesystems.tsx';
import { GraphPanel } from './graph-panel.tsx';
import { loadInstant } from './instant.ts';
import { CONTAINER_PANELS, HOST_PANELS } from './panels.ts';
import { Tiles } from './tiles.tsx';
import { useLiveWindow } from './window.ts';
import type { LiveWindow } from './window.ts';

const RANGES_MS = [300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];
const REFRESHES_MS = [5000, 15_000, 60_000, 0];

/** The host and its containers, moving. `host` and `containers` show one of the two. */
export function StartPage() {
  const live = useLiveWindow();
  const hosts = useHosts();
  // One host needs no matcher; of several, one at a time is shown.
  const host = hosts.length > 1 ? (hosts.find((name) => name === live.state.host) ?? hosts[0]) : undefined;
  const { path } = place.value;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Overview</h1>
        <WindowControls live={live} hosts={hosts} host={host} />
      </div>
      {path !== 'containers' && (
        <>
          <Tiles live={live} host={host} />
          <h2 id="host">Host</h2>
          <div class="grid">
            {HOST_PANELS.map((definition) => (
              <GraphPanel key={definition.title} definition={definition} live={live} host={host} />
            ))}
            <Filesystems live={live} host={host} />
          </div>
        </>
      )}
      {path !== 'host' && (
        <>
          <h2 id="containers">Containers</h2>
          <Containers live={live} />
          <div class="grid">
            {CONTAINER_PANELS.map((definition) => (
              <GraphPanel key={definition.title} definition={definition} live={live} host={undefined} />
            ))}
          </div>
        </>
      )}
    </div>
  );
}

function useHosts(): string[] {
  const { data } = useResource('hosts', (signal) =>
    loadInstant({ hosts: 'count by (instance) (node_load1)' }, undefined, signal),
  ).value;
  return (data?.hosts ?? []).map(({ labels }) => labels['instance'] ?? '').sort();
}

interface ControlsProps {
  readonly live: LiveWindow;
  readonly hosts: readonly string[];
  readonly host: string | undefined;
}

function WindowControls({ live, hosts, host }: ControlsProps) {
  const { rangeMs, endMs, refreshMs } = live.state;
  const ranges = RANGES_MS.includes(rangeMs) ? RANGES_MS : [...RANGES_MS, rangeMs].sort((a, b) => a - b);
  return (
    <div class="controls">
      {endMs !== undefined && (
        <>
          <span class="dim">until {formatTime(endMs, isUtc.value)}</span>
          <button type="button" class="primary" onClick={() => live.set({ endMs: undefined, rangeMs: 900_000 })}>
            Back to live
          </button>
        </>
      )}
      {host !== undefined && (
        <label>
          Host{' '}
          <select value={host} onChange={(event) => live.set({ host: event.currentTarget.value })}>
            {hosts.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        Range{' '}
        <select value={String(rangeMs)} onChange={(event) => live.set({ rangeMs: Number(event.currentTarget.value) })}>
          {ranges.map((ms) => (
            <option key={ms} value={String(ms)}>
              {formatDuration(ms)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Refresh{' '}
        <select
          value={String(refreshMs)}
          disabled={endMs !== undefined}
          onChange={(event) => live.set({ refreshMs: Number(event.currentTarget.value) })}
        >
          {REFRESHES_MS.map((ms) => (
            <option key={ms} value={String(ms)}>
              {ms === 0 ? 'off' : formatDuration(ms)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
