import { labelText } from '../../util/metrics.ts';
import { counter } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { numberOf, words } from '../numbers.ts';

/** The 16 columns of /proc/net/dev after the name. */
const COLUMNS = [
  counter('node_network_receive_bytes_total', 'Bytes received.', 'device'),
  counter('node_network_receive_packets_total', 'Packets received.', 'device'),
  counter('node_network_receive_errs_total', 'Packets received with an error.', 'device'),
  counter('node_network_receive_drop_total', 'Packets received and dropped.', 'device'),
  counter('node_network_receive_fifo_total', 'Packets lost because a buffer was full.', 'device'),
  counter('node_network_receive_frame_total', 'Packets received with a framing error.', 'device'),
  counter('node_network_receive_compressed_total', 'Compressed packets received.', 'device'),
  counter('node_network_receive_multicast_total', 'Multicast packets received.', 'device'),
  counter('node_network_transmit_bytes_total', 'Bytes sent.', 'device'),
  counter('node_network_transmit_packets_total', 'Packets sent.', 'device'),
  counter('node_network_transmit_errs_total', 'Packets not sent because of an error.', 'device'),
  counter('node_network_transmit_drop_total', 'Packets dropped instead of sent.', 'device'),
  counter('node_network_transmit_fifo_total', 'Packets not sent because a buffer was full.', 'device'),
  counter('node_network_transmit_colls_total', 'Collisions.', 'device'),
  counter('node_network_transmit_carrier_total', 'Packets not sent because the link was lost.', 'device'),
  counter('node_network_transmit_compressed_total', 'Compressed packets sent.', 'device'),
] as const;

/** Positions in `InterfaceCounters.values`. */
export const NET_DEV = {
  receiveBytes: 0,
  receivePackets: 1,
  receiveErrors: 2,
  receiveDropped: 3,
  transmitBytes: 8,
  transmitPackets: 9,
  transmitErrors: 10,
  transmitDropped: 11,
} as const;

export interface InterfaceCounters {
  readonly device: string;
  /** The columns of /proc/net/dev in their order. */
  readonly values: readonly number[];
}

/** Traffic of the host's network devices. */
export function createNetdevCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    for (const { device, values } of parseNetDev(files.text(`${paths.procfs}/net/dev`))) {
      const labels = labelText({ device });
      for (let i = 0; i < COLUMNS.length; i++) out.add(COLUMNS[i]!, labels, values[i]!);
    }
  }
  return { name: 'netdev', families: COLUMNS, source: '/proc/net/dev', collect };
}

/** Every line with all its columns; a cut line is left out. */
export function parseNetDev(text: string): InterfaceCounters[] {
  const devices: InterfaceCounters[] = [];
  for (const line of text.split('\n')) {
    // The name may hold a colon (an alias); the counters cannot.
    const colon = line.lastIndexOf(':');
    if (colon < 0) continue;
    const columns = words(line.slice(colon + 1));
    if (columns.length < COLUMNS.length) continue;
    const device = line.slice(0, colon).trim();
    devices.push({ device, values: columns.map((column) => numberOf(column, `net/dev ${device}`)) });
  }
  return devices;
}
