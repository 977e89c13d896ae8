import { expect, test } from 'vitest';
import { runLoad } from '../../bench/load.ts';

// The real server, 1,000 real targets over sockets, a heavy query in a loop on two connections.
test('1,000 targets of 200 series are scraped without a miss while heavy range queries loop', async () => {
  const outcome = await runLoad(process.env['NARTHEX_LONG'] ? 12 : 2);
  process.stderr.write(
    `main-thread delay p99 ${outcome.delayP99Ms} ms, ${outcome.queriesDone} heavy queries answered\n`,
  );
  expect(outcome.scrapesDone).toBe(outcome.scrapesDue);
  expect(outcome.queriesDone).toBeGreaterThan(0);
}, 400_000);
