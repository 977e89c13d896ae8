import { expect, test } from 'vitest';
import { parseNetDev } from '../../../exporters/procnet/dev.ts';

test('net/dev: names with colons, counters stuck to the name, cut lines', () => {
  const values = Array.from({ length: 16 }, (_, i) => i + 1);
  const text = `Inter-| Receive\n face |bytes\n  eth0:1:${values.join(' ')}\nlo: ${values.join('   ')}\n cut: 1 2 3\n`;
  expect(parseNetDev(text)).toEqual([
    { device: 'eth0:1', values },
    { device: 'lo', values },
  ]);
  expect(() => parseNetDev(`eth0: ${'x '.repeat(16)}`)).toThrow('net/dev eth0');
});
