import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countSockets,
  createSocketCounts,
  needsTcp6,
  socketPresence,
  udpListening,
} from '../../../exporters/procnet/tcp.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const UDP_HEADER = `${HEADER.trimEnd()} ref pointer drops\n`;

function line(state: string, tx = '00000000', rx = '00000000', rest = ''): string {
  return `   0: 0100007F:1F90 00000000:0000 ${state} ${tx}:${rx} 00:00000000 00000000     0        0 12849 1${rest}\n`;
}

function count(text: string): ReturnType<typeof createSocketCounts> {
  const counts = createSocketCounts();
  countSockets(Buffer.from(text), counts);
  return counts;
}

describe('socket tables', () => {
  test('sockets are counted by state and queues summed', () => {
    const counts = count(
      HEADER + line('0A', '00000000', '00000005') + line('01', '0000001F') + line('06') + line('06'),
    );
    expect([...counts.states]).toEqual([0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0]);
    expect(counts.txQueueBytes).toBe(31);
    expect(counts.rxQueueBytes).toBe(5);
  });

  test('addresses of IPv6 are wider and change nothing', () => {
    const address = '0000000000000000FFFF00000100007F';
    const text = `   1: ${address}:1F90 ${address}:A1B2 08 00000000:00000001 00:00000000 00000000     0        0 1\n`;
    expect(count(HEADER + text).states[8]).toBe(1);
  });

  test('udp adds up the drops of the last column', () => {
    const counts = count(
      UDP_HEADER +
        line('07', '00000000', '00000010', ' 2 000000007ee7fcc2 12  ') +
        line('01', '00000000', '00000000', ' 2 00 3'),
    );
    expect(counts.dropped).toBe(15);
    expect(counts.rxQueueBytes).toBe(16);
    expect(udpListening(counts)).toBe(1);
  });

  test('cut and foreign lines are left out', () => {
    const whole = HEADER + line('01') + line('01');
    for (let length = 0; length < whole.length; length++) {
      const established = count(whole.slice(0, length)).states[1]!;
      expect(established).toBeLessThanOrEqual(2);
    }
    expect(count('').states[1]).toBe(0);
    expect(
      count(`${HEADER}garbage\n\n${line('FF')}${line('0G')}${line('01', 'XXXXXXXX')}`).states.some((n) => n > 0),
    ).toBe(false);
  });

  test('no bytes make it throw', () => {
    const bytes = fc.uint8Array({ maxLength: 400 });
    const property = fc.property(bytes, (tail) => {
      const counts = createSocketCounts();
      countSockets(Buffer.concat([Buffer.from(HEADER), tail]), counts);
      countSockets(tail, counts);
      expect(counts.states.every((n) => Number.isInteger(n))).toBe(true);
    });
    fc.assert(property, { seed: 11, numRuns: process.env['NARTHEX_LONG'] ? 20_000 : 300 });
  });

  test('sockstat says which tables can be empty', () => {
    const idle = 'sockets: used 1\nTCP: inuse 0 orphan 0 tw 0 alloc 21 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\n';
    const idle6 = 'TCP6: inuse 0\nUDP6: inuse 0\nUDPLITE6: inuse 0\n';
    expect(socketPresence(idle, idle6)).toMatchObject({ tcp4: false, tcp6: false, udp4: false, udp6: false });
    // TIME_WAIT is counted over both families: IPv6 is read unless IPv4 had them all.
    const waiting = socketPresence(idle.replace('tw 0', 'tw 3'), idle6);
    expect(waiting).toMatchObject({ tcp4: true, tcp6: true, udp4: false, udp6: false });
    expect(needsTcp6(waiting, count(HEADER + line('06').repeat(2)))).toBe(true);
    expect(needsTcp6(waiting, count(HEADER + line('06').repeat(3)))).toBe(false);
    const live = socketPresence(idle, idle6.replace('TCP6: inuse 0', 'TCP6: inuse 1'));
    expect(needsTcp6(live, count(HEADER))).toBe(true);
    // Nothing known: read everything there may be; without IPv6 there is no second table.
    const unknown = socketPresence(undefined, undefined);
    expect(unknown).toMatchObject({ tcp4: true, tcp6: false, udp4: true, udp6: false });
    expect(needsTcp6(unknown, count(HEADER))).toBe(false);
  });
});
