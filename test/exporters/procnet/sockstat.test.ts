import { expect, test } from 'vitest';
import { parseSockstat } from '../../../exporters/procnet/sockstat.ts';

test('sockstat: one field per pair', () => {
  expect([...parseSockstat('sockets: used 3\nTCP: inuse 1 tw 2\n\n')]).toEqual([
    ['sockets_used', 3],
    ['TCP_inuse', 1],
    ['TCP_tw', 2],
  ]);
  expect(() => parseSockstat('TCP: inuse many')).toThrow('TCP_inuse: not a number: "many"');
});
