import { expect, test } from 'vitest';
import { readSnmp } from '../../../exporters/procnet/snmp.ts';

test('snmp: fields by their header', () => {
  const seen: string[] = [];
  const text = 'Tcp: RtoMin MaxConn\nTcp: 200 -1\nUdp: InDatagrams\nUdp: 5\n';
  readSnmp(text, (field, value) => seen.push(`${field}=${value}`));
  expect(seen).toEqual(['Tcp_RtoMin=200', 'Tcp_MaxConn=-1', 'Udp_InDatagrams=5']);
  expect(() => readSnmp('Tcp: A B\nTcp: 1\n', () => undefined)).toThrow('lines of Tcp differ');
  expect(() => readSnmp('Tcp: A\nUdp: 1\n', () => undefined)).toThrow('lines of Tcp differ');
});
