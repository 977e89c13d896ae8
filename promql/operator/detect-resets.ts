import type { FloatHistogram } from '../../model/float-histogram.ts';
import { isReset } from '../../model/histogram-reset.ts';
import type { SampleColumns } from '../../model/sample.ts';

/**
 * Replaces unknown hints by what a comparison with the histogram before says, in place. Prometheus does so where a query
 * looks at counts and sums only and need not keep the buckets; it shows in warnings of colliding resets.
 */
export function detectResets(columns: SampleColumns): void {
  const { histograms, count } = columns;
  let previous: FloatHistogram | undefined;
  for (let i = 0; i < count; i++) {
    const current = histograms[i];
    if (!current) continue;
    if (previous && current.hint === 'unknown') {
      histograms[i] = current.withHint(isReset(current, previous) ? 'reset' : 'not_reset');
    }
    previous = current;
  }
}
