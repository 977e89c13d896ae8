// hot path: one line per socket.
import { labelText } from '../../util/metrics.ts';
import { gauge } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { parseSockstat } from './sockstat.ts';

/** Socket states by the number in the `st` column; index 0 is not used. */
const STATES = [
  '',
  'established',
  'syn_sent',
  'syn_recv',
  'fin_wait1',
  'fin_wait2',
  'time_wait',
  'close',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
] as const;
/** Numbers a `st` column may hold, and one more. */
export const TCP_STATE_COUNT = 12;
const TIME_WAIT = 6;
const UDP_LISTEN = 7;

/** What the lines of a socket table add up to. */
export interface SocketCounts {
  /** Sockets by the number of their state. */
  readonly states: Float64Array;
  txQueueBytes: number;
  rxQueueBytes: number;
  /** Datagrams dropped, of the last column (udp only). */
  dropped: number;
}

export function createSocketCounts(): SocketCounts {
  return { states: new Float64Array(TCP_STATE_COUNT), txQueueBytes: 0, rxQueueBytes: 0, dropped: 0 };
}

/** Whether a namespace may have sockets in a table, from sockstat; reading an empty table costs the kernel 4 ms. */
export interface SocketPresence {
  readonly tcp4: boolean;
  readonly tcp6: boolean;
  readonly udp4: boolean;
  readonly udp6: boolean;
  /** TIME_WAIT sockets of both families; Infinity when that is not known. */
  readonly timeWait: number;
  /** Whether IPv6 has TCP sockets in another state than TIME_WAIT, or may have. */
  readonly hasLiveTcp6: boolean;
}

/**
 * The kernel walks the whole machine's hash table for /proc/<pid>/net/tcp, however few sockets the namespace has;
 * sockstat counts them per namespace. TIME_WAIT is counted over both families.
 */
export function socketPresence(sockstat: string | undefined, sockstat6: string | undefined): SocketPresence {
  const four = parseSockstat(sockstat ?? '');
  const six = parseSockstat(sockstat6 ?? '');
  const isSome = (count: number | undefined): boolean => count === undefined || count > 0;
  const timeWait = four.get('TCP_tw') ?? Infinity;
  const hasLiveTcp6 = sockstat6 !== undefined && isSome(six.get('TCP6_inuse'));
  return {
    timeWait,
    hasLiveTcp6,
    tcp4: timeWait > 0 || isSome(four.get('TCP_inuse')),
    tcp6: sockstat6 !== undefined && (timeWait > 0 || hasLiveTcp6),
    udp4: isSome(four.get('UDP_inuse')) || isSome(four.get('UDPLITE_inuse')),
    udp6: sockstat6 !== undefined && (isSome(six.get('UDP6_inuse')) || isSome(six.get('UDPLITE6_inuse'))),
  };
}

/** Whether the IPv6 table must be read, once the IPv4 table was: not when all TIME_WAIT sockets were found there. */
export function needsTcp6(present: SocketPresence, four: SocketCounts): boolean {
  return present.tcp6 && (present.hasLiveTcp6 || four.states[TIME_WAIT]! < present.timeWait);
}

const TCP = gauge('node_tcp_connection_states', 'TCP sockets by state, IPv4 and IPv6; queued bytes.', 'state');
const UDP = gauge('node_udp_queues', 'Bytes waiting in UDP sockets.', 'queue', 'ip');

/** TCP sockets by state: on by default, unlike node_exporter, because an idle table is not read. */
export function createTcpstatCollector({ files, paths }: CollectorContext): Collector {
  const labels = STATES.map((state) => labelText({ state }));
  const net = `${paths.procfs}/net`;

  function collect(out: SampleSet): void {
    const counts = createSocketCounts();
    const present = socketPresence(files.tryText(`${net}/sockstat`), files.tryText(`${net}/sockstat6`));
    if (present.tcp4) countSockets(files.bytes(`${net}/tcp`), counts);
    if (needsTcp6(present, counts)) countSockets(files.bytes(`${net}/tcp6`), counts);
    for (let i = 1; i < STATES.length; i++) if (counts.states[i]! > 0) out.add(TCP, labels[i]!, counts.states[i]!);
    out.add(TCP, 'state="rx_queued_bytes"', counts.rxQueueBytes);
    out.add(TCP, 'state="tx_queued_bytes"', counts.txQueueBytes);
  }
  return { name: 'tcpstat', families: [TCP], source: '/proc/net/{tcp,tcp6}', collect };
}

/** Bytes in the queues of UDP sockets. */
export function createUdpQueuesCollector({ files, paths }: CollectorContext): Collector {
  const net = `${paths.procfs}/net`;

  function add(out: SampleSet, ip: string, isPresent: boolean, path: string): void {
    const counts = createSocketCounts();
    if (isPresent) countSockets(files.bytes(path), counts);
    out.add(UDP, labelText({ queue: 'tx', ip }), counts.txQueueBytes);
    out.add(UDP, labelText({ queue: 'rx', ip }), counts.rxQueueBytes);
  }

  function collect(out: SampleSet): void {
    const sockstat6 = files.tryText(`${net}/sockstat6`);
    const present = socketPresence(files.tryText(`${net}/sockstat`), sockstat6);
    add(out, 'v4', present.udp4, `${net}/udp`);
    if (sockstat6 !== undefined) add(out, 'v6', present.udp6, `${net}/udp6`);
  }
  return { name: 'udp_queues', families: [UDP], source: '/proc/net/{udp,udp6}', collect };
}

/** Listening UDP sockets: those without a peer. */
export function udpListening(counts: SocketCounts): number {
  return counts.states[UDP_LISTEN]!;
}

const SPACE = 32;
const NEWLINE = 10;
const COLON = 58;

/**
 * Adds the lines of a /proc/net/{tcp,tcp6,udp,udp6} table:
 * `sl local rem st tx:rx ...`, numbers in hex; in udp tables the last column counts drops in decimal.
 * A line that is cut or has another form is left out.
 */
export function countSockets(bytes: Uint8Array, counts: SocketCounts): void {
  const length = bytes.length;
  let i = bytes.indexOf(NEWLINE) + 1;
  if (i === 0) return;
  const hasDrops = endsWithDrops(bytes.subarray(0, i));
  while (i < length) {
    let end = bytes.indexOf(NEWLINE, i);
    if (end < 0) end = length;
    let column = i;
    for (let skipped = 0; skipped < 3; skipped++) column = nextColumn(bytes, column, end);
    column = skipSpaces(bytes, column, end);
    const state = hexAt(bytes, column, column + 2);
    const queues = skipSpaces(bytes, column + 2, end);
    if (state > 0 && state < TCP_STATE_COUNT && queues + 17 <= end && bytes[queues + 8] === COLON) {
      const tx = hexAt(bytes, queues, queues + 8);
      const rx = hexAt(bytes, queues + 9, queues + 17);
      if (tx >= 0 && rx >= 0) {
        counts.states[state]! += 1;
        counts.txQueueBytes += tx;
        counts.rxQueueBytes += rx;
        if (hasDrops) counts.dropped += lastNumber(bytes, i, end);
      }
    }
    i = end + 1;
  }
}

function endsWithDrops(header: Uint8Array): boolean {
  return Buffer.from(header.buffer, header.byteOffset, header.length).toString('latin1').trimEnd().endsWith('drops');
}

function skipSpaces(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && bytes[i] === SPACE) i++;
  return i;
}

function nextColumn(bytes: Uint8Array, from: number, end: number): number {
  let i = skipSpaces(bytes, from, end);
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

/** The hex number in [from, end); -1 when it is none. */
function hexAt(bytes: Uint8Array, from: number, end: number): number {
  let value = 0;
  for (let i = from; i < end; i++) {
    const c = bytes[i]!;
    let digit: number;
    if (c >= 48 && c <= 57) digit = c - 48;
    else if (c >= 65 && c <= 70) digit = c - 55;
    else if (c >= 97 && c <= 102) digit = c - 87;
    else return -1;
    value = value * 16 + digit;
  }
  return value;
}

function lastNumber(bytes: Uint8Array, from: number, end: number): number {
  let last = end;
  while (last > from && bytes[last - 1] === SPACE) last--;
  let first = last;
  while (first > from && bytes[first - 1]! >= 48 && bytes[first - 1]! <= 57) first--;
  let value = 0;
  for (let i = first; i < last; i++) value = value * 10 + bytes[i]! - 48;
  return value;
}
