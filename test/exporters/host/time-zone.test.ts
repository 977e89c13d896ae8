import { expect, test } from 'vitest';
import { readZoneRule, zoneName } from '../../../exporters/host/time-zone.ts';

test.each([
  ['CET-1CEST,M3.5.0,M10.5.0/3', 3600, 'CET'],
  ['CET-1CEST,M3.5.0,M10.5.0/3', 7200, 'CEST'],
  ['EST5EDT,M3.2.0,M11.1.0', -18_000, 'EST'],
  ['EST5EDT,M3.2.0,M11.1.0', -14_400, 'EDT'],
  ['IST-5:30', 19_800, 'IST'],
  ['<+0545>-5:45', 20_700, '+0545'],
  ['UTC0', 0, 'UTC'],
  ['', 0, 'UTC'],
])('"%s" at %i s is %s', (rule, offset, name) => {
  expect(zoneName(rule, offset)).toBe(name);
});

test('the rule of this machine is one or none', () => {
  expect(readZoneRule()).toMatch(/^$|^(<[^>]+>|[A-Za-z]+)[-+\d]/);
});
