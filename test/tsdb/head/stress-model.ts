import type { HeadShare } from '../../../tsdb/head/tables.ts';

export const START_MS = 1_700_000_000_000;
export const STEP_MS = 1000;

export interface StressSetup {
  readonly head: HeadShare;
  readonly slot: number;
  readonly seed: number;
  /** [number of the last commit that resolved, 1 when the writer has ended] */
  readonly promised: SharedArrayBuffer;
}

export interface StressReport {
  snapshots: number;
  samples: number;
  /** Views that grew too old for the undo ring. */
  lost: number;
  readonly faults: string[];
}

/** The value that commit `commit` writes to all series; NaN stands for the staleness marker. */
export function valueAt(commit: number): number {
  if (commit % 97 === 50) return NaN;
  const hash = Math.imul(commit + 1, 0x9e3779b1) >>> 0;
  // Runs of the same value, small integers and full mantissas by turns, so that chunks grow at different speeds.
  const kind = (commit >>> 5) & 3;
  if (kind === 0) return 7;
  return kind === 1 ? hash % 1000 : hash / 4_294_967_296 + commit;
}
