// Reading a database whole, through the seam that queries use.
import { Matcher } from '../../model/matcher.ts';
import { SampleColumns } from '../../model/sample.ts';
import type { Queryable } from '../../model/storage.ts';

const ALL = { startMs: -(2 ** 50), endMs: 2 ** 50 };

/** `labels time value` of every sample, in the order of the database; a staleness marker reads `stale`. */
export function allSamples(queryable: Queryable): string[] {
  const querier = queryable.querier(ALL.startMs, ALL.endMs);
  try {
    const set = querier.select([new Matcher('!=', '__name__', '')], ALL);
    const columns = new SampleColumns();
    const lines: string[] = [];
    for (let i = 0; i < set.count; i++) {
      const labels = set.labels(i).toString();
      set.read(i, ALL.startMs, ALL.endMs, columns);
      for (let row = 0; row < columns.count; row++) {
        const value = columns.stale[row] === 1 ? 'stale' : String(columns.values[row]);
        lines.push(`${labels} ${columns.times[row]} ${value}`);
      }
    }
    return lines;
  } finally {
    querier.close();
  }
}
