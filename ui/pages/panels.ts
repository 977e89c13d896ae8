import type { Unit } from '../format.ts';

export interface PanelQuery {
  /** `$host` stands for the chosen host's matcher, `$window` for the window of `rate`. */
  readonly expr: string;
  /** `{{label}}` stands for the label's value. */
  readonly legend: string;
  /** A series that is background: drawn in grey. */
  readonly isMuted?: boolean;
}

/** One graph of the start page. */
export interface PanelDefinition {
  readonly title: string;
  readonly unit: Unit;
  readonly isStacked?: boolean;
  /** At most this many series are drawn, those with the largest mean; they are listed in that order. */
  readonly top?: number;
  readonly queries: readonly PanelQuery[];
  /** Said when there is no series. */
  readonly absent: string;
}

const DEVICES = 'device!~"lo|veth.*|ifb.*"';
/** A container's own interfaces, without its loopback. */
const NAMED = 'name!=""';

export const HOST_PANELS: readonly PanelDefinition[] = [
  {
    title: 'CPU by mode (cores)',
    unit: 'cores',
    isStacked: true,
    queries: [
      { expr: 'sum by (mode) (rate(node_cpu_seconds_total{mode!="idle",$host}[$window]))', legend: '{{mode}}' },
    ],
    absent: 'node_cpu_seconds_total comes from the host exporter (collector cpu).',
  },
  {
    title: 'Memory',
    unit: 'bytes',
    isStacked: true,
    queries: [
      { expr: 'node_memory_MemTotal_bytes{$host} - node_memory_MemAvailable_bytes{$host}', legend: 'used' },
      {
        expr: 'node_memory_MemAvailable_bytes{$host} - node_memory_MemFree_bytes{$host}',
        legend: 'cache (can be freed)',
      },
      { expr: 'node_memory_MemFree_bytes{$host}', legend: 'free', isMuted: true },
    ],
    absent: 'node_memory_* comes from the host exporter (collector meminfo).',
  },
  {
    title: 'Load',
    unit: 'none',
    queries: [
      { expr: 'node_load1{$host}', legend: '1 minute' },
      { expr: 'node_load5{$host}', legend: '5 minutes' },
      { expr: 'node_load15{$host}', legend: '15 minutes' },
      { expr: 'count(node_cpu_seconds_total{mode="idle",$host})', legend: 'cores', isMuted: true },
    ],
    absent: 'node_load* comes from the host exporter (collector loadavg).',
  },
  {
    title: 'Network in',
    unit: 'bytes/s',
    top: 8,
    queries: [{ expr: `rate(node_network_receive_bytes_total{${DEVICES},$host}[$window])`, legend: '{{device}}' }],
    absent: 'node_network_* comes from the host exporter (collector netdev).',
  },
  {
    title: 'Network out',
    unit: 'bytes/s',
    top: 8,
    queries: [{ expr: `rate(node_network_transmit_bytes_total{${DEVICES},$host}[$window])`, legend: '{{device}}' }],
    absent: 'node_network_* comes from the host exporter (collector netdev).',
  },
  {
    title: 'Disk I/O',
    unit: 'bytes/s',
    top: 8,
    queries: [
      { expr: 'rate(node_disk_read_bytes_total{$host}[$window])', legend: '{{device}} read' },
      { expr: 'rate(node_disk_written_bytes_total{$host}[$window])', legend: '{{device}} written' },
    ],
    absent: 'node_disk_* comes from the host exporter (collector diskstats).',
  },
  {
    title: 'Pressure: share of time tasks waited',
    unit: 'percent',
    queries: [
      { expr: 'rate(node_pressure_cpu_waiting_seconds_total{$host}[$window])', legend: 'CPU' },
      { expr: 'rate(node_pressure_io_waiting_seconds_total{$host}[$window])', legend: 'I/O' },
      { expr: 'rate(node_pressure_memory_waiting_seconds_total{$host}[$window])', legend: 'memory' },
    ],
    absent: 'node_pressure_* needs a kernel with pressure stall information (/proc/pressure).',
  },
  {
    title: 'TCP connections by state',
    unit: 'count',
    queries: [{ expr: 'node_tcp_connection_states{state!~".*_bytes",$host} > 0', legend: '{{state}}' }],
    absent: 'node_tcp_connection_states comes from the host exporter (collector tcpstat).',
  },
];

export const CONTAINER_PANELS: readonly PanelDefinition[] = [
  {
    title: 'CPU (cores)',
    unit: 'cores',
    top: 10,
    queries: [
      { expr: `sum by (name) (rate(container_cpu_usage_seconds_total{${NAMED}}[$window]))`, legend: '{{name}}' },
    ],
    absent: 'container_cpu_* needs the cpuacct or cpu controller in the containers’ cgroups.',
  },
  {
    title: 'Memory working set',
    unit: 'bytes',
    top: 10,
    queries: [{ expr: `sum by (name) (container_memory_working_set_bytes{${NAMED}})`, legend: '{{name}}' }],
    absent: 'container_memory_* needs the memory controller in the containers’ cgroups.',
  },
  {
    title: 'Network in',
    unit: 'bytes/s',
    top: 10,
    queries: [
      { expr: `sum by (name) (rate(container_network_receive_bytes_total{${NAMED}}[$window]))`, legend: '{{name}}' },
    ],
    absent: 'No container has a network of its own, or their /proc/<pid>/net cannot be read.',
  },
  {
    title: 'Network out',
    unit: 'bytes/s',
    top: 10,
    queries: [
      { expr: `sum by (name) (rate(container_network_transmit_bytes_total{${NAMED}}[$window]))`, legend: '{{name}}' },
    ],
    absent: 'No container has a network of its own, or their /proc/<pid>/net cannot be read.',
  },
  {
    title: 'Block I/O',
    unit: 'bytes/s',
    top: 10,
    queries: [
      { expr: `sum by (name) (rate(container_fs_reads_bytes_total{${NAMED}}[$window]))`, legend: '{{name}} read' },
      { expr: `sum by (name) (rate(container_fs_writes_bytes_total{${NAMED}}[$window]))`, legend: '{{name}} written' },
    ],
    absent: 'container_fs_* needs the blkio (v1) or io (v2) controller in the containers’ cgroups.',
  },
  {
    title: 'Processes',
    unit: 'count',
    top: 10,
    queries: [{ expr: `sum by (name) (container_processes{${NAMED}})`, legend: '{{name}}' }],
    absent: 'container_processes comes from the container exporter.',
  },
];

/** Puts the chosen host and the window of `rate` into an expression. */
export function fillExpr(expr: string, host: string | undefined, window: string): string {
  const matcher = host === undefined ? '' : `instance=${JSON.stringify(host)}`;
  return expr
    .replaceAll(',$host', matcher === '' ? '' : `,${matcher}`)
    .replaceAll('{$host}', matcher === '' ? '' : `{${matcher}}`)
    .replaceAll('$window', window);
}
