import { readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { parseShare, type Flags } from './flags.ts';

/** Bytes of memory that one series takes in the head, generously; how many fit is derived from it. */
const SERIES_BYTES = 2048;
/** Share of the budget that the head may fill. */
const HEAD_SHARE = 0.6;
const WORKERS_MIN = 2;
const MIB = 1024 * 1024;

/** What the machine gives, and what of it each part may use. */
export interface Resources {
  readonly workerCount: number;
  readonly budgetBytes: number;
  readonly queryMemoryBytes: number;
  readonly maxHeadSeries: number;
  readonly workerHeapMb: number;
}

/** Throws FlagError. */
export function planResources(flags: Flags): Resources {
  // 0 or more than there is where no cgroup limits the process.
  const constrained = process.constrainedMemory();
  const total = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const budgetBytes = parseShare(flags.text('memory.budget'), total);
  const maxHeadSeries = flags.number('storage.tsdb.max-head-series');
  return {
    workerCount: flags.number('query.workers') || Math.max(WORKERS_MIN, availableParallelism()),
    budgetBytes,
    queryMemoryBytes: parseShare(flags.text('query.max-memory'), budgetBytes),
    maxHeadSeries: maxHeadSeries > 0 ? maxHeadSeries : Math.floor((budgetBytes * HEAD_SHARE) / SERIES_BYTES),
    // Columns and answers are outside the heap; what is inside is plans and label strings.
    workerHeapMb: Math.max(128, Math.floor(budgetBytes / 4 / MIB)),
  };
}

/** Resident bytes of this process, read without blocking; 0 where that cannot be told. */
export async function residentBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
