import { METRIC_NAME } from '../../model/labels.ts';
import type { LabelReader } from './label-reader.ts';

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

/** The longest lists, each descending by value: what /api/v1/status/tsdb shows. */
export interface IndexStats {
  readonly pairCount: number;
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  /** Bytes of a name's values, each as often as series have it. */
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}

/** The `limit` longest of each kind. Goes through every label pair once: about 20 ns each. */
export function indexStats(labels: LabelReader, limit: number): IndexStats {
  const { postings, symbols } = labels;
  const metricName = symbols.find(METRIC_NAME);
  const metrics = new TopList(limit);
  const valueCounts = new TopList(limit);
  const memory = new TopList(limit);
  const pairs = new TopList(limit);
  let pairCount = 0;
  for (const name of postings.names()) {
    const values = postings.valuesOf(name);
    const isMetricName = postings.nameOf(name) === metricName;
    let sizeBytes = 0;
    for (const pair of values) {
      const seriesCount = postings.countOf(pair);
      sizeBytes += symbols.sizeBytes(postings.valueOf(pair)) * seriesCount;
      pairs.add(pair, seriesCount);
      if (isMetricName) metrics.add(pair, seriesCount);
    }
    pairCount += values.length;
    valueCounts.add(name, values.length);
    memory.add(name, sizeBytes);
  }
  const nameText = (pair: number): string => symbols.text(postings.nameOf(pair));
  const valueText = (pair: number): string => symbols.text(postings.valueOf(pair));
  return {
    pairCount,
    seriesCountByMetricName: metrics.named(valueText),
    labelValueCountByLabelName: valueCounts.named(nameText),
    memoryInBytesByLabelName: memory.named(nameText),
    seriesCountByLabelValuePair: pairs.named((pair) => `${nameText(pair)}=${valueText(pair)}`),
  };
}

/** The greatest values added, by insertion into a short sorted list. */
class TopList {
  readonly #limit: number;
  readonly #ids: number[] = [];
  readonly #values: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(id: number, value: number): void {
    const ids = this.#ids;
    const values = this.#values;
    if (values.length >= this.#limit && (values.length === 0 || value <= values.at(-1)!)) return;
    let at = values.length;
    while (at > 0 && values[at - 1]! < value) at--;
    ids.splice(at, 0, id);
    values.splice(at, 0, value);
    if (values.length <= this.#limit) return;
    ids.pop();
    values.pop();
  }

  named(nameOf: (id: number) => string): NamedCount[] {
    return this.#ids.map((id, i) => ({ name: nameOf(id), value: this.#values[i]! }));
  }
}
