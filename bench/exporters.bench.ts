import { createExporters } from '../exporters/main.ts';
import type { Exporters } from '../exporters/main.ts';
import { cpuMs } from './harness.ts';
import type { BenchResult } from './harness.ts';

const RUNS = 30;

/** Least wall time and mean CPU time of one call, on this machine as it is. */
async function measure(name: string, read: () => Promise<string>): Promise<BenchResult[]> {
  for (let i = 0; i < 5; i++) await read();
  let best = Infinity;
  let body = '';
  const cpu = await cpuMs(async () => {
    for (let i = 0; i < RUNS; i++) {
      const start = performance.now();
      body = await read();
      best = Math.min(best, performance.now() - start);
    }
  });
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const note = `${lines.length} series, ${(body.length / 1024).toFixed(0)} KiB`;
  return [
    { name: `${name}: wall, least of ${RUNS}`, value: best, unit: 'ms', note },
    { name: `${name}: CPU`, value: cpu / RUNS, unit: 'ms', note: 'mean; most of it is the kernel writing the files' },
  ];
}

/** Mean CPU time of one call without the kernel's part. */
async function userMs(read: () => Promise<string>): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < RUNS; i++) await read();
  return process.cpuUsage(before).user / 1000 / RUNS;
}

/** Heap that 1,000 scrapes leave behind. */
async function growthKib(exporters: Exporters): Promise<number> {
  const heap = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed / 1024;
  };
  for (let i = 0; i < 100; i++) await exporters.containers();
  const before = heap();
  for (let i = 0; i < 1000; i++) await exporters.containers();
  return heap() - before;
}

export async function run(): Promise<BenchResult[]> {
  const exporters = createExporters();
  const results = [
    ...(await measure('host()', () => exporters.host())),
    { name: 'host(): user CPU', value: await userMs(() => exporters.host()), unit: 'ms' },
    ...(await measure('containers()', () => exporters.containers())),
    { name: 'containers(): user CPU', value: await userMs(() => exporters.containers()), unit: 'ms' },
    { name: 'containers(): heap growth over 1,000 calls', value: await growthKib(exporters), unit: 'KiB' },
  ];
  exporters.close();
  return results;
}
