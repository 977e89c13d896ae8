// hot path: up to eight files per network namespace and scrape.
import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { CollectorContext, Family, SampleSet } from '../collector.ts';
import { NET_DEV, parseNetDev } from './dev.ts';
import { countSockets, createSocketCounts, socketPresence, TCP_STATE_COUNT, udpListening } from './tcp.ts';

/** cAdvisor's rule; it also hides a device called `loopx`. */
const HIDDEN = /^(lo|veth|docker|nerdctl)/i;

const traffic = (direction: string, name: string, help: string): Family =>
  counter(`container_network_${direction}_${name}_total`, help, 'interface');

/** Traffic and sockets of a container's network namespace, under cAdvisor's names. */
export const NETWORK = {
  receiveBytes: traffic('receive', 'bytes', 'Bytes received.'),
  receivePackets: traffic('receive', 'packets', 'Packets received.'),
  receiveErrors: traffic('receive', 'errors', 'Packets received with an error.'),
  receiveDropped: traffic('receive', 'packets_dropped', 'Packets received and dropped.'),
  transmitBytes: traffic('transmit', 'bytes', 'Bytes sent.'),
  transmitPackets: traffic('transmit', 'packets', 'Packets sent.'),
  transmitErrors: traffic('transmit', 'errors', 'Packets not sent because of an error.'),
  transmitDropped: traffic('transmit', 'packets_dropped', 'Packets dropped instead of sent.'),
  tcp: gauge('container_network_tcp_usage_total', 'TCP sockets over IPv4 by state.', 'tcp_state'),
  tcp6: gauge('container_network_tcp6_usage_total', 'TCP sockets over IPv6 by state.', 'tcp_state'),
  udp: gauge('container_network_udp_usage_total', 'UDP sockets over IPv4: listening, dropped, queued.', 'udp_state'),
  udp6: gauge('container_network_udp6_usage_total', 'UDP sockets over IPv6: listening, dropped, queued.', 'udp_state'),
} as const;

/** cAdvisor's words for the states, by the number of the state. */
const TCP_STATES = [
  '',
  'established',
  'synsent',
  'synrecv',
  'finwait1',
  'finwait2',
  'timewait',
  'close',
  'closewait',
  'lastack',
  'listen',
  'closing',
];
const TCP_LABELS = TCP_STATES.map((state) => `tcp_state="${state}"`);
const TRAFFIC = Object.entries(NET_DEV).map(([name, column]) => {
  return { column, family: NETWORK[name as keyof typeof NET_DEV] };
});

/** The network namespace of a process, `net:[4026531833]`; undefined when it may not be read. */
export function namespaceOf({ files, paths }: CollectorContext, pid: number | 'self'): string | undefined {
  return files.tryLink(`${paths.procfs}/${pid}/ns/net`);
}

/** Adds a namespace's traffic by interface. `labels` is never empty. */
export function collectTraffic(context: CollectorContext, pid: number, labels: string, out: SampleSet): void {
  const text = context.files.tryTextOnce(`${context.paths.procfs}/${pid}/net/dev`);
  if (text === undefined) return;
  for (const { device, values } of parseNetDev(text)) {
    if (HIDDEN.test(device)) continue;
    const own = `${labels},${labelText({ interface: device })}`;
    for (const { column, family } of TRAFFIC) out.add(family, own, values[column]!);
  }
}

/** Adds a namespace's sockets by state, all states, as cAdvisor does. */
export function collectSockets(context: CollectorContext, pid: number, labels: string, out: SampleSet): void {
  const { files } = context;
  const net = `${context.paths.procfs}/${pid}/net`;
  const sockstat = files.tryTextOnce(`${net}/sockstat`);
  if (sockstat === undefined) return;
  const present = socketPresence(sockstat, files.tryTextOnce(`${net}/sockstat6`));
  const read = (name: string, isPresent: boolean): ReturnType<typeof createSocketCounts> => {
    const counts = createSocketCounts();
    const bytes = isPresent ? files.tryBytesOnce(`${net}/${name}`) : undefined;
    if (bytes) countSockets(bytes, counts);
    return counts;
  };
  const addTcp = (family: Family, states: Float64Array): void => {
    for (let i = 1; i < TCP_STATE_COUNT; i++) out.add(family, `${labels},${TCP_LABELS[i]}`, states[i]!);
  };
  const addUdp = (family: Family, counts: ReturnType<typeof createSocketCounts>): void => {
    out.add(family, `${labels},udp_state="listen"`, udpListening(counts));
    out.add(family, `${labels},udp_state="dropped"`, counts.dropped);
    out.add(family, `${labels},udp_state="rxqueued"`, counts.rxQueueBytes);
    out.add(family, `${labels},udp_state="txqueued"`, counts.txQueueBytes);
  };
  addTcp(NETWORK.tcp, read('tcp', present.tcp4).states);
  addTcp(NETWORK.tcp6, read('tcp6', present.tcp6).states);
  addUdp(NETWORK.udp, read('udp', present.udp4));
  addUdp(NETWORK.udp6, read('udp6', present.udp6));
}
