import { performance } from 'node:perf_hooks';

/** One measured figure. `note` says what it is compared with, or what explains it. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
}

/** What every `bench/*.bench.ts` exports. */
export interface BenchModule {
  run(): Promise<BenchResult[]>;
}

/** Least nanoseconds per item over `runs` calls of `work`, which handles `count` items a call; the first call warms up. */
export function nsPer(count: number, work: () => void, runs = 7): number {
  work();
  let best = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return (best * 1e6) / count;
}

/** CPU milliseconds of all threads of this process that `work` takes. */
export async function cpuMs(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
}
