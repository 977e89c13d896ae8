import type { Labels } from '../../model/labels.ts';
import type { NamedCount } from '../../model/http-api.ts';

export interface Cardinality {
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
  readonly numLabelPairs: number;
}

/** Counts what /status/tsdb shows. */
export class CardinalityCounter {
  readonly #valueCounts = new Map<string, number>();
  readonly #valueBytes = new Map<string, number>();
  readonly #pairCounts = new Map<string, Map<string, number>>();
  #pairs = 0;

  addValue(name: string, value: string): void {
    increase(this.#valueCounts, name, 1);
    increase(this.#valueBytes, name, Buffer.byteLength(value));
    this.#pairs++;
  }

  addSeries({ flat }: Labels): void {
    for (let i = 0; i < flat.length; i += 2) {
      let counts = this.#pairCounts.get(flat[i]!);
      if (!counts) this.#pairCounts.set(flat[i]!, (counts = new Map<string, number>()));
      increase(counts, flat[i + 1]!, 1);
    }
  }

  /** The `limit` largest of each kind. */
  top(limit: number, metricName: string): Cardinality {
    const pairs = new Map<string, number>();
    for (const [name, counts] of this.#pairCounts) {
      for (const { name: value, value: count } of largest(counts, limit)) pairs.set(`${name}=${value}`, count);
    }
    return {
      seriesCountByMetricName: largest(this.#pairCounts.get(metricName) ?? new Map(), limit),
      labelValueCountByLabelName: largest(this.#valueCounts, limit),
      memoryInBytesByLabelName: largest(this.#valueBytes, limit),
      seriesCountByLabelValuePair: largest(pairs, limit),
      numLabelPairs: this.#pairs,
    };
  }
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function largest(counts: ReadonlyMap<string, number>, limit: number): NamedCount[] {
  return [...counts]
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => b.value - a.value)
    .slice(0, limit);
}
