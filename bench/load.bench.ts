import type { BenchResult } from './harness.ts';
import { runLoad } from './load.ts';

const DELAY_P99_MS_MAX = 50;

export async function run(): Promise<BenchResult[]> {
  const outcome = await runLoad(4);
  if (outcome.delayP99Ms > DELAY_P99_MS_MAX) {
    throw new Error(`main-thread delay p99 is ${outcome.delayP99Ms} ms, must be under ${DELAY_P99_MS_MAX}`);
  }
  return [
    { name: 'main-thread delay p99, 1,000 targets and heavy queries', value: outcome.delayP99Ms, unit: 'ms' },
    { name: '  scrapes missed', value: outcome.scrapesDue - outcome.scrapesDone, unit: 'scrapes' },
    { name: '  heavy range queries answered', value: outcome.queriesDone, unit: 'queries' },
    { name: '  CPU of the process', value: outcome.cpuShare, unit: 'cores' },
  ];
}
