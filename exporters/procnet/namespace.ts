// hot path: up to eight files per network namespace and scrape.
import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { CollectorContext, Family, SampleSet } from '../collector.ts';
import { NET_DEV, parseNetDev } from './dev.ts';
import { countSockets, createSocketCounts, needsTcp6, socketPresence, TCP_STATE_COUNT, udpListening } from './tcp.ts';
import type { SocketCounts, SocketPresence } from './tcp.ts';

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

/** The TCP sockets of a namespace, with what was true when they were counted. */
interface CountedTcp {
  readonly evidence: string;
  readonly four: Float64Array;
  readonly six: Float64Array;
}

/**
 * Counts sockets by state per namespace. A TCP table is read again only when the namespace's segment counters or socket
 * counts moved: no socket changes its state without a segment or a change of a count.
 */
export class SocketReader {
  readonly #context: CollectorContext;
  #counted = new Map<string, CountedTcp>();
  #next = new Map<string, CountedTcp>();

  constructor(context: CollectorContext) {
    this.#context = context;
  }

  /** Adds all states, as cAdvisor does. `namespace` undefined: what was counted is not kept. */
  collect(pid: number, namespace: string | undefined, labels: string, out: SampleSet): void {
    const { files } = this.#context;
    const net = `${this.#context.paths.procfs}/${pid}/net`;
    const sockstat = files.tryTextOnce(`${net}/sockstat`);
    if (sockstat === undefined) return;
    const sockstat6 = files.tryTextOnce(`${net}/sockstat6`);
    const present = socketPresence(sockstat, sockstat6);
    const { four, six } = this.#countTcp(net, namespace, present, `${sockstat}${sockstat6 ?? ''}`);
    addTcp(NETWORK.tcp, four, labels, out);
    addTcp(NETWORK.tcp6, six, labels, out);
    addUdp(NETWORK.udp, this.#read(`${net}/udp`, present.udp4), labels, out);
    addUdp(NETWORK.udp6, this.#read(`${net}/udp6`, present.udp6), labels, out);
  }

  /** Ends a scrape: namespaces that were not seen in it are forgotten. */
  finish(): void {
    this.#counted = this.#next;
    this.#next = new Map();
  }

  #countTcp(net: string, namespace: string | undefined, present: SocketPresence, sockstat: string): CountedTcp {
    if (!present.tcp4 && !present.tcp6) return NO_TCP;
    const segments = /^Tcp: \d.*$/m.exec(this.#context.files.tryTextOnce(`${net}/snmp`) ?? '')?.[0];
    // `orphan`, `alloc` and `mem` are of the whole machine.
    const evidence = `${segments}\n${sockstat.replaceAll(/ (orphan|alloc|mem) \d+/g, '')}`;
    const before = this.#counted.get(namespace ?? '');
    if (namespace !== undefined && segments !== undefined && before?.evidence === evidence) {
      this.#next.set(namespace, before);
      return before;
    }
    const four = this.#read(`${net}/tcp`, present.tcp4);
    const six = this.#read(`${net}/tcp6`, needsTcp6(present, four));
    const counted = { evidence, four: four.states, six: six.states };
    if (namespace !== undefined) this.#next.set(namespace, counted);
    return counted;
  }

  #read(path: string, isPresent: boolean): SocketCounts {
    const counts = createSocketCounts();
    const bytes = isPresent ? this.#context.files.tryBytesOnce(path) : undefined;
    if (bytes) countSockets(bytes, counts);
    return counts;
  }
}

const NO_TCP: CountedTcp = {
  evidence: '',
  four: new Float64Array(TCP_STATE_COUNT),
  six: new Float64Array(TCP_STATE_COUNT),
};

function addTcp(family: Family, states: Float64Array, labels: string, out: SampleSet): void {
  for (let i = 1; i < TCP_STATE_COUNT; i++) out.add(family, `${labels},${TCP_LABELS[i]}`, states[i]!);
}

function addUdp(family: Family, counts: SocketCounts, labels: string, out: SampleSet): void {
  out.add(family, `${labels},udp_state="listen"`, udpListening(counts));
  out.add(family, `${labels},udp_state="dropped"`, counts.dropped);
  out.add(family, `${labels},udp_state="rxqueued"`, counts.rxQueueBytes);
  out.add(family, `${labels},udp_state="txqueued"`, counts.txQueueBytes);
}
