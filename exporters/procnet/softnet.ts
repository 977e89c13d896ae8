import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { Collector, CollectorContext, Family, SampleSet } from '../collector.ts';
import { words } from '../numbers.ts';

/** Hex columns by position. */
const COLUMNS: readonly (readonly [number, Family])[] = [
  [0, counter('node_softnet_processed_total', 'Packets taken from the backlog.', 'cpu')],
  [1, counter('node_softnet_dropped_total', 'Packets dropped because the backlog was full.', 'cpu')],
  [2, counter('node_softnet_times_squeezed_total', 'Times work was left when the time for it was over.', 'cpu')],
  [8, counter('node_softnet_cpu_collision_total', 'Collisions while sending.', 'cpu')],
  [9, counter('node_softnet_received_rps_total', 'Times another processor asked to handle packets.', 'cpu')],
  [10, counter('node_softnet_flow_limit_count_total', 'Times the limit per flow was reached.', 'cpu')],
  [11, gauge('node_softnet_backlog_len', 'Packets in the backlog.', 'cpu')],
];
const CPU_COLUMN = 12;

/** Packet handling per processor. Lines leave out offline processors, so the number in the line is used. */
export function createSoftnetCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const lines = files.text(`${paths.procfs}/net/softnet_stat`).trimEnd().split('\n');
    for (let i = 0; i < lines.length; i++) {
      const columns = words(lines[i]!);
      const cpu = columns[CPU_COLUMN] === undefined ? i : Number.parseInt(columns[CPU_COLUMN], 16);
      const labels = labelText({ cpu: String(cpu) });
      for (const [column, family] of COLUMNS) {
        const text = columns[column];
        if (text === undefined) continue;
        const value = Number.parseInt(text, 16);
        if (value !== value) throw new Error(`softnet_stat: not a hex number: "${text}"`);
        out.add(family, labels, value);
      }
    }
  }
  const families = COLUMNS.map(([, family]) => family);
  return { name: 'softnet', families, source: '/proc/net/softnet_stat', collect };
}
