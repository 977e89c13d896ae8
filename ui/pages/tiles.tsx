import { formatSeconds, formatValue } from '../format.ts';
import { useResource } from '../resource.ts';
import { loadInstant, single } from './instant.ts';
import { fillExpr } from './panels.ts';
import { rateWindow } from './window-state.ts';
import type { LiveWindow } from './window.ts';

const QUERIES = {
  info: 'node_uname_info{$host}',
  uptime: 'node_time_seconds{$host} - node_boot_time_seconds{$host}',
  cores: 'count(node_cpu_seconds_total{mode="idle",$host})',
  idle: 'sum(rate(node_cpu_seconds_total{mode="idle",$host}[$window]))',
  memory: 'node_memory_MemTotal_bytes{$host}',
  available: 'node_memory_MemAvailable_bytes{$host}',
  load: 'node_load1{$host}',
  containers: 'count(count by (name) (container_last_seen{name!=""}))',
  up: 'sum(up)',
  targets: 'count(up)',
} as const;

/** A filled part that deserves attention. */
const HIGH = 0.85;

/** The host in one line: who it is, and how full CPU and memory are now. */
// oxlint-disable-next-line complexity -- one branch a tile, each with its own text
export function Tiles({ live, host }: { readonly live: LiveWindow; readonly host: string | undefined }) {
  const window = rateWindow(live.grid);
  const queries = Object.fromEntries(
    Object.entries(QUERIES).map(([name, expr]) => [name, fillExpr(expr, host, window)]),
  ) as typeof QUERIES;
  const at = live.state.endMs === undefined ? undefined : live.state.endMs / 1000;
  const { data } = useResource(JSON.stringify([queries, at, live.tick]), (signal) =>
    loadInstant(queries, at, signal),
  ).value;
  const get = (name: keyof typeof QUERIES): number | undefined => single(data?.[name]);
  const [cores, idle, memory, available, load] = [
    get('cores'),
    get('idle'),
    get('memory'),
    get('available'),
    get('load'),
  ];
  const busy = cores !== undefined && idle !== undefined ? Math.max(0, 1 - idle / cores) : undefined;
  const used = memory !== undefined && available !== undefined ? 1 - available / memory : undefined;
  const info = data?.info[0]?.labels;
  const [up, targets, uptime] = [get('up'), get('targets'), get('uptime')];
  return (
    <div class="tiles">
      <Tile name="Host" value={info?.['nodename']} note={info && `${info['sysname']} ${info['release']}`} />
      <Tile name="Up for" value={uptime === undefined ? undefined : formatSeconds(uptime)} note="since boot" />
      <Tile name="CPU" value={show(busy)} note={cores === undefined ? '' : `of ${cores} cores`} part={busy} />
      <Tile
        name="Memory"
        value={show(used)}
        note={memory === undefined ? '' : `of ${formatValue(memory, 'bytes')}`}
        part={used}
      />
      <Tile
        name="Load"
        value={load?.toFixed(2)}
        note={cores === undefined ? '' : `1 minute; ${cores} cores`}
        part={load !== undefined && cores !== undefined ? load / cores : undefined}
      />
      <Tile name="Containers" value={data && String(get('containers') ?? 0)} note="with a name" />
      <Tile
        name="Targets up"
        value={up === undefined || targets === undefined ? undefined : `${up} of ${targets}`}
        note={up === targets ? 'all scraped' : 'some are down'}
        isBad={up !== undefined && targets !== undefined && up < targets}
      />
    </div>
  );
}

const show = (part: number | undefined): string | undefined =>
  part === undefined ? undefined : formatValue(part, 'percent');

interface TileProps {
  readonly name: string;
  readonly value: string | undefined;
  readonly note: string | undefined;
  /** 0 to 1 draws a bar. */
  readonly part?: number | undefined;
  readonly isBad?: boolean;
}

function Tile({ name, value, note, part, isBad = false }: TileProps) {
  return (
    <div class={`tile card${isBad ? ' is-bad' : ''}`}>
      <div class="tile-name">{name}</div>
      <div class="tile-value" title={value}>
        {value ?? '–'}
      </div>
      <div class="tile-note dim" title={note}>
        {note}
      </div>
      {part !== undefined && <Bar part={part} />}
    </div>
  );
}

/** How full something is; the number stands beside it. A neutral bar compares, and is never too full. */
export function Bar({ part, isNeutral = false }: { readonly part: number; readonly isNeutral?: boolean }) {
  const width = Math.min(1, Math.max(0, part)) * 100;
  return (
    <div class={`bar${part >= HIGH && !isNeutral ? ' is-high' : ''}`} aria-hidden="true">
      <div style={{ width: `${width}%` }} />
    </div>
  );
}
