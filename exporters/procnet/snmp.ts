import { untyped } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { numberOf, words } from '../numbers.ts';

/** The fields node_exporter serves by default. */
const FIELDS =
  /^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$/;
const FIELD = untyped('node_netstat_<Protocol>_<Field>', 'One field of snmp, snmp6 or netstat.');

/** Counters of the protocols. Fields come and go with the kernel, so the header lines say what is there. */
export function createNetstatCollector({ files, paths }: CollectorContext): Collector {
  const wanted = new Map<string, boolean>();

  function isWanted(field: string): boolean {
    let answer = wanted.get(field);
    if (answer === undefined) {
      answer = FIELDS.test(field);
      wanted.set(field, answer);
    }
    return answer;
  }

  function collect(out: SampleSet): void {
    const add = (field: string, value: string): void => {
      if (!isWanted(field)) return;
      out.addNamed(`node_netstat_${field}`, 'untyped', `Statistic ${field}.`, numberOf(value, field));
    };
    readSnmp(files.text(`${paths.procfs}/net/netstat`), add);
    readSnmp(files.text(`${paths.procfs}/net/snmp`), add);
    // Absent where IPv6 is switched off.
    readSnmp6(files.tryText(`${paths.procfs}/net/snmp6`) ?? '', add);
  }
  return { name: 'netstat', families: [FIELD], source: '/proc/net/{netstat,snmp,snmp6}', collect };
}

/** Pairs of lines: `Tcp: name name...` and `Tcp: value value...`; fields as `Tcp_name`. */
export function readSnmp(text: string, add: (field: string, value: string) => void): void {
  const lines = text.split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const names = words(lines[i]!);
    const values = words(lines[i + 1]!);
    const protocol = names[0]!.slice(0, -1);
    if (names[0] !== values[0] || names.length !== values.length) throw new Error(`snmp: lines of ${protocol} differ`);
    for (let j = 1; j < names.length; j++) add(`${protocol}_${names[j]}`, values[j]!);
  }
}

/** Lines `Ip6InOctets 12`: the protocol ends with its 6. */
function readSnmp6(text: string, add: (field: string, value: string) => void): void {
  for (const line of text.split('\n')) {
    const [name = '', value] = words(line);
    const six = name.indexOf('6');
    if (six < 0 || value === undefined) continue;
    add(`${name.slice(0, six + 1)}_${name.slice(six + 1)}`, value);
  }
}
