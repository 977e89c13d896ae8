import { expect, test } from 'vitest';
import { Turns } from '../../../server/workers/turns.ts';

async function job(turns: Turns, name: string, isShort: boolean, steps: number, log: string[]): Promise<void> {
  for (let i = 0; i < steps; i++) {
    await turns.wait(isShort);
    log.push(name);
  }
}

test('short jobs go before long ones, which are not starved', async () => {
  const turns = new Turns();
  const log: string[] = [];
  await Promise.all([job(turns, 'long', false, 3, log), job(turns, 's', true, 20, log)]);
  expect(log.slice(0, 6)).toEqual(['s', 's', 's', 's', 'long', 's']);
  expect(log.filter((name) => name === 'long')).toHaveLength(3);
  expect(log.lastIndexOf('long')).toBeLessThan(20);
});

test('long jobs take turns', async () => {
  const turns = new Turns();
  const log: string[] = [];
  await Promise.all([job(turns, 'a', false, 3, log), job(turns, 'b', false, 3, log)]);
  expect(log).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
});
