import { fetchTargets, errorText } from '../api.ts';
import { formatSeconds, formatValue } from '../format.ts';
import type { Unit } from '../format.ts';
import { Message } from '../message.tsx';
import { useResource } from '../resource.ts';
import { SortTable } from '../table/sort-table.tsx';
import type { TableColumn } from '../table/sort-table.tsx';
import { reasonForNone } from './containers-reason.ts';
import { loadInstant } from './instant.ts';
import type { InstantValue } from './instant.ts';
import { fillExpr } from './panels.ts';
import { Bar } from './tiles.tsx';
import { rateWindow } from './window-state.ts';
import type { LiveWindow } from './window.ts';

const NAMED = 'name!=""';
const QUERIES = {
  seen: `max by (name, image) (container_last_seen{${NAMED}})`,
  cpu: `sum by (name) (rate(container_cpu_usage_seconds_total{${NAMED}}[$window]))`,
  memory: `sum by (name) (container_memory_working_set_bytes{${NAMED}})`,
  limit: `sum by (name) (container_spec_memory_limit_bytes{${NAMED}} > 0)`,
  received: `sum by (name) (rate(container_network_receive_bytes_total{${NAMED}}[$window]))`,
  sent: `sum by (name) (rate(container_network_transmit_bytes_total{${NAMED}}[$window]))`,
  read: `sum by (name) (rate(container_fs_reads_bytes_total{${NAMED}}[$window]))`,
  written: `sum by (name) (rate(container_fs_writes_bytes_total{${NAMED}}[$window]))`,
  processes: `sum by (name) (container_processes{${NAMED}})`,
  started: `max by (name) (container_start_time_seconds{${NAMED}})`,
} as const;

interface Row {
  readonly name: string;
  readonly image: string;
  readonly values: Partial<Record<keyof typeof QUERIES, number>>;
}

/** Every named container with what it uses now, or the reason why there is none. */
export function Containers({ live }: { readonly live: LiveWindow }) {
  const window = rateWindow(live.grid);
  const queries = Object.fromEntries(
    Object.entries(QUERIES).map(([name, expr]) => [name, fillExpr(expr, undefined, window)]),
  ) as typeof QUERIES;
  const at = live.state.endMs === undefined ? undefined : live.state.endMs / 1000;
  const { data, error } = useResource(JSON.stringify([queries, at, live.tick]), (signal) =>
    loadInstant(queries, at, signal),
  ).value;
  if (data === undefined) {
    return error === undefined ? (
      <div class="card skeleton table-skeleton" role="status" aria-label="Loading" />
    ) : (
      <Message kind="error" title={errorText(error)} />
    );
  }
  const rows = toRows(data);
  if (rows.length === 0) return <NoContainers tick={live.tick} />;
  const nowSeconds = at ?? Date.now() / 1000;
  return (
    <div class="card">
      <SortTable
        label="Containers"
        rows={rows}
        columns={containerColumns(nowSeconds)}
        rowKey={(row) => row.name}
        sortedBy={2}
      />
    </div>
  );
}

function toRows(data: Record<keyof typeof QUERIES, readonly InstantValue[]>): Row[] {
  const rows = new Map<string, Row>();
  for (const { labels } of data.seen) {
    const name = labels['name'] ?? '';
    rows.set(name, { name, image: labels['image'] ?? '', values: {} });
  }
  for (const key of Object.keys(QUERIES) as (keyof typeof QUERIES)[]) {
    for (const { labels, value } of data[key]) {
      const row = rows.get(labels['name'] ?? '');
      if (row) row.values[key] = value;
    }
  }
  return [...rows.values()];
}

function containerColumns(nowSeconds: number): TableColumn<Row>[] {
  const column = (name: string, key: keyof typeof QUERIES, unit: Unit): TableColumn<Row> => ({
    name,
    isNumber: true,
    sortBy: (row) => row.values[key],
    show: (row) => {
      const value = row.values[key];
      return value === undefined ? <span class="dim">–</span> : formatValue(value, unit);
    },
  });
  return [
    { name: 'Name', sortBy: (row) => row.name, show: (row) => <span class="strong">{row.name}</span> },
    { name: 'Image', sortBy: (row) => row.image, show: (row) => <span class="dim">{row.image}</span> },
    column('CPU cores', 'cpu', 'cores'),
    { ...column('Memory', 'memory', 'bytes'), show: (row) => <Memory {...row.values} /> },
    column('Net in', 'received', 'bytes/s'),
    column('Net out', 'sent', 'bytes/s'),
    column('Read', 'read', 'bytes/s'),
    column('Written', 'written', 'bytes/s'),
    column('Processes', 'processes', 'count'),
    {
      name: 'Up for',
      isNumber: true,
      sortBy: ({ values: { started } }) => (started === undefined ? undefined : nowSeconds - started),
      show: ({ values: { started } }) =>
        started === undefined ? <span class="dim">–</span> : formatSeconds(Math.max(0, nowSeconds - started)),
    },
  ];
}

function Memory({ memory, limit }: Row['values']) {
  if (memory === undefined) return <span class="dim">–</span>;
  if (limit === undefined) return <>{formatValue(memory, 'bytes')}</>;
  return (
    <div class="memory-cell" title={`${formatValue(memory / limit, 'percent')} of the limit`}>
      {formatValue(memory, 'bytes')} <span class="dim">of {formatValue(limit, 'bytes')}</span>
      <Bar part={memory / limit} />
    </div>
  );
}

/** Why the start page shows no containers, read from the state of their target. */
function NoContainers({ tick }: { readonly tick: number }) {
  const { data } = useResource(String(tick), fetchTargets).value;
  if (data === undefined) return <div class="card skeleton table-skeleton" role="status" aria-label="Loading" />;
  const [title, why] = reasonForNone(data.data);
  return (
    <Message kind="empty" title={title}>
      {why}
    </Message>
  );
}
