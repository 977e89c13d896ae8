import { METRIC_NAME, type Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import { CodedError } from '../../util/errors.ts';
import type { Evaluation } from './evaluation.ts';
import { PENDING, READY, createHistograms, histogramsOf } from './operator.ts';
import type { Batch, HistogramColumn, Operator, SeriesList } from './operator.ts';
import { listOf } from './series-list.ts';
import { TableReader, type Table } from './table.ts';

/** The labels by which a series finds its info series. */
const IDENTIFYING_LABELS: ReadonlySet<string> = new Set(['instance', 'job']);

export interface InfoOptions {
  readonly base: Operator;
  /** The info series; their values are the times of their samples in seconds. */
  readonly info: Operator;
  /** Conditions on the info series, name included. */
  readonly matchers: readonly Matcher[];
  readonly stepCount: number;
}

/** An output series: samples of a base series while it has the same enrichment. */
interface Output {
  readonly labels: Labels;
  readonly dropsName: boolean;
  readonly values: Float64Array;
  readonly present: Uint8Array;
  histograms: HistogramColumn | undefined;
}

/**
 * info(): adds the labels of info metrics to the series they describe. Which they are may change from step to step, so
 * both inputs are read whole and the output series found by `open()`.
 */
export class InfoOperator implements Operator {
  readonly #evaluation: Evaluation;
  readonly #options: InfoOptions;
  readonly #nameMatchers: readonly Matcher[];
  readonly #dataMatchers: readonly Matcher[];
  readonly #dataLabels: ReadonlySet<string>;
  readonly #outputs: Output[] = [];
  #opened = 0;
  #base: TableReader | undefined;
  #info: TableReader | undefined;
  /** Rows of the info table by identifying labels and then by metric name. */
  #infoRows: ReadonlyMap<string, ReadonlyMap<string, number[]>> = new Map();
  #row = 0;
  #nextOutput = 0;

  constructor(evaluation: Evaluation, options: InfoOptions) {
    this.#evaluation = evaluation;
    this.#options = options;
    this.#nameMatchers = options.matchers.filter(({ name }) => name === METRIC_NAME);
    this.#dataMatchers = options.matchers.filter(({ name }) => name !== METRIC_NAME);
    this.#dataLabels = new Set(this.#dataMatchers.map(({ name }) => name));
  }

  open(): number {
    const { base, info, stepCount } = this.#options;
    if (this.#opened === 0) {
      if (base.open() === PENDING) return PENDING;
      this.#opened = 1;
    }
    if (this.#opened === 1) {
      if (info.open() === PENDING) return PENDING;
      this.#opened = 2;
      this.#base = new TableReader(this.#evaluation, base, stepCount);
      this.#info = new TableReader(this.#evaluation, info, stepCount);
      this.#infoRows = groupInfoRows(info.series());
    }
    if (this.#opened === 2) {
      if (this.#base!.read() === PENDING) return PENDING;
      this.#opened = 3;
    }
    if (this.#opened === 3) {
      if (this.#info!.read() === PENDING) return PENDING;
      this.#opened = 4;
    }
    const { count } = base.series();
    while (this.#row < count) {
      this.#enrich(this.#base!.table, this.#row++);
      if (this.#evaluation.spend(stepCount * 4)) return PENDING;
    }
    return READY;
  }

  /** Makes the outputs of one base series. */
  #enrich(table: Table, row: number): void {
    const { base, stepCount } = this.#options;
    const labels = base.series().labels(row);
    const isInfoSeries = this.#nameMatchers.every((matcher) => matcher.matches(labels.metricName));
    const candidates = isInfoSeries ? undefined : this.#infoRows.get(identityOf(labels));
    const isKeptAlone = isInfoSeries || this.#dataMatchers.every((matcher) => matcher.matches(''));
    const ownOutputs = new Map<string, Output>();
    let lastChosen: string | undefined;
    let output: Output | undefined;
    for (let i = 0; i < stepCount; i++) {
      const cell = row * stepCount + i;
      if (table.present[cell] === 0) continue;
      const chosen = candidates === undefined ? [] : this.#newest(candidates, i);
      const key = chosen.join();
      if (key !== lastChosen) {
        lastChosen = key;
        const isKept = chosen.length > 0 || isKeptAlone;
        output = isKept ? this.#outputOf(ownOutputs, this.#enriched(labels, chosen), row) : undefined;
      }
      if (output === undefined) continue;
      output.values[i] = table.values[cell]!;
      output.present[i] = 1;
      const histogram = table.histograms?.[cell];
      if (histogram) (output.histograms ??= createHistograms(stepCount))[i] = histogram;
    }
  }

  #outputOf(own: Map<string, Output>, labels: Labels, row: number): Output {
    const key = labels.key();
    let output = own.get(key);
    if (output === undefined) {
      const { base, stepCount } = this.#options;
      output = {
        labels,
        dropsName: base.series().dropsName(row),
        values: this.#evaluation.floats(stepCount),
        present: this.#evaluation.bytes(stepCount),
        histograms: undefined,
      };
      own.set(key, output);
      this.#outputs.push(output);
    }
    return output;
  }

  /** Of each info metric the row with the newest sample at a step. */
  #newest(candidates: ReadonlyMap<string, readonly number[]>, step: number): number[] {
    const { present, values, stepCount } = this.#info!.table;
    const chosen: number[] = [];
    for (const rows of candidates.values()) {
      let best = -1;
      for (const row of rows) {
        if (present[row * stepCount + step] === 0) continue;
        const time = values[row * stepCount + step]!;
        const bestTime = best < 0 ? -Infinity : values[best * stepCount + step]!;
        if (time === bestTime) this.#failDuplicate(best, row, time);
        if (time > bestTime) best = row;
      }
      if (best >= 0) chosen.push(best);
    }
    return chosen;
  }

  /** The labels with those of the chosen info series that they do not have themselves. */
  #enriched(labels: Labels, chosen: readonly number[]): Labels {
    const series = this.#options.info.series();
    const added = new Map<string, string>();
    for (const row of chosen) {
      for (const [name, value] of series.labels(row).entries()) {
        if (name === METRIC_NAME || labels.has(name)) continue;
        if (this.#dataLabels.size > 0 && !this.#dataLabels.has(name)) continue;
        const other = added.get(name);
        if (other !== undefined && other !== value) throw new CodedError('execution', `conflicting label: ${name}`);
        added.set(name, value);
      }
    }
    let enriched = labels;
    for (const [name, value] of added) enriched = enriched.with(name, value);
    return enriched;
  }

  #failDuplicate(a: number, b: number, seconds: number): never {
    const series = this.#options.info.series();
    const timeMs = Math.round(seconds * 1000);
    throw new CodedError(
      'execution',
      `found duplicate series for info metric: existing ${series.labels(a).toString()} @ ${timeMs}, ` +
        `new ${series.labels(b).toString()} @ ${timeMs}`,
    );
  }

  series(): SeriesList {
    return listOf(
      this.#outputs.map(({ labels }) => labels),
      this.#outputs.map(({ dropsName }) => (dropsName ? 1 : 0)),
    );
  }

  next(batch: Batch): number {
    const { stepCount, capacity, values, present } = batch;
    const rows = Math.min(capacity, this.#outputs.length - this.#nextOutput);
    batch.first = this.#nextOutput;
    batch.histograms = undefined;
    for (let r = 0; r < rows; r++) {
      const output = this.#outputs[this.#nextOutput + r]!;
      values.set(output.values, r * stepCount);
      present.set(output.present, r * stepCount);
      for (let i = 0; output.histograms && i < stepCount; i++) {
        histogramsOf(batch)[r * stepCount + i] = output.histograms[i];
      }
    }
    this.#nextOutput += rows;
    this.#evaluation.spend(rows * stepCount);
    if (rows === 0) {
      this.#options.base.close();
      this.#options.info.close();
    }
    return rows;
  }

  close(): void {
    this.#options.base.close();
    this.#options.info.close();
  }
}

function identityOf(labels: Labels): string {
  return labels.only(IDENTIFYING_LABELS).key();
}

function groupInfoRows(series: SeriesList): Map<string, Map<string, number[]>> {
  const groups = new Map<string, Map<string, number[]>>();
  for (let row = 0; row < series.count; row++) {
    const labels = series.labels(row);
    const identity = identityOf(labels);
    // Series that nothing identifies describe nothing.
    if (identity === '') continue;
    const byName = groups.get(identity) ?? new Map<string, number[]>();
    groups.set(identity, byName);
    const rows = byName.get(labels.metricName) ?? [];
    byName.set(labels.metricName, rows);
    rows.push(row);
  }
  return groups;
}
