import { describe, expect, test } from 'vitest';
import { parseNetDev } from '../../../exporters/procnet/dev.ts';
import { readSnmp } from '../../../exporters/procnet/snmp.ts';
import { parseSockstat } from '../../../exporters/procnet/sockstat.ts';

describe('files of /proc/net', () => {
  test('net/dev: names with colons, counters stuck to the name, cut lines', () => {
    const values = Array.from({ length: 16 }, (_, i) => i + 1);
    const text = `Inter-| Receive\n face |bytes\n  eth0:1:${values.join(' ')}\nlo: ${values.join('   ')}\n cut: 1 2 3\n`;
    expect(parseNetDev(text)).toEqual([
      { device: 'eth0:1', values },
      { device: 'lo', values },
    ]);
    expect(() => parseNetDev(`eth0: ${'x '.repeat(16)}`)).toThrow('net/dev eth0');
  });

  test('snmp: fields by their header', () => {
    const seen: string[] = [];
    readSnmp('Tcp: RtoMin MaxConn\nTcp: 200 -1\nUdp: InDatagrams\nUdp: 5\n', (field, value) =>
      seen.push(`${field}=${value}`),
    );
    expect(seen).toEqual(['Tcp_RtoMin=200', 'Tcp_MaxConn=-1', 'Udp_InDatagrams=5']);
    expect(() => readSnmp('Tcp: A B\nTcp: 1\n', () => undefined)).toThrow('lines of Tcp differ');
    expect(() => readSnmp('Tcp: A\nUdp: 1\n', () => undefined)).toThrow('lines of Tcp differ');
  });

  test('sockstat', () => {
    expect([...parseSockstat('sockets: used 3\nTCP: inuse 1 tw 2\n\n')]).toEqual([
      ['sockets_used', 3],
      ['TCP_inuse', 1],
      ['TCP_tw', 2],
    ]);
  });
});
