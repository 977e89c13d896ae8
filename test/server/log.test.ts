import { expect, test } from 'vitest';
import { createLog } from '../../server/log.ts';

test('logfmt lines have the fields of Prometheus, and no control characters', () => {
  const lines: string[] = [];
  const log = createLog('info', 'logfmt', (line) => void lines.push(line));
  log.debug({}, 'not shown');
  log.warn({ target: 'http://a/?b="c"', err: new Error('x\ny\u001b[31m'), count: 3 }, 'scrape failed');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^time=\d{4}-\d\d-\d\dT[\d:.]+Z level=WARN msg="scrape failed" target="http:/);
  expect(lines[0]).toMatch(/ count=3\n$/);
  expect(Buffer.from(lines[0]!.slice(0, -1)).every((byte) => byte >= 0x20)).toBe(true);
});

test('json lines are json', () => {
  const lines: string[] = [];
  createLog('debug', 'json', (line) => void lines.push(line)).debug({ long: 'x'.repeat(10_000) }, 'm');
  const line = JSON.parse(lines[0]!) as { msg: string; long: string };
  expect(line.msg).toBe('m');
  expect(line.long.length).toBeLessThan(5000);
});
