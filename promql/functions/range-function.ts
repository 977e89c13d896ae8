import type { Batch } from '../operator/operator.ts';
import type { Windows } from '../operator/windows.ts';

/**
 * Evaluates steps [from, to) of one series: reads `windows`, writes `values` and `present` of the batch at base + step.
 * Called for consecutive ranges of steps, each of a bounded amount of work.
 */
export type RangeKernel = (windows: Windows, out: Batch, base: number, from: number, to: number) => void;

/** A function of a range vector. */
export interface RangeFunction {
  readonly kernel: RangeKernel;
  /** The metric name stays on the result. */
  readonly keepsName: boolean;
}

/** A kernel of a function of one window that always has a result when the window has at least `samplesMin` samples. */
export function perWindow(
  samplesMin: number,
  fn: (windows: Windows, lo: number, hi: number, step: number) => number,
): RangeKernel {
  return (windows, out, base, from, to) => {
    const { lo, hi } = windows;
    const { values, present } = out;
    for (let i = from; i < to; i++) {
      const first = lo[i]!;
      const end = hi[i]!;
      if (end - first < samplesMin) {
        present[base + i] = 0;
        continue;
      }
      values[base + i] = fn(windows, first, end, i);
      present[base + i] = 1;
    }
  };
}
