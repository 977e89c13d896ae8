import { formatFloatG } from './decimal.ts';

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';

/** Writes the text exposition format 0.0.4: a family's HELP and TYPE, then its samples. */
export class ExpositionWriter {
  #parts: string[] = [];
  #name = '';

  family(name: string, type: FamilyType, help: string): this {
    this.#name = name;
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    this.#parts.push(`# HELP ${name} ${escaped}\n# TYPE ${name} ${type}\n`);
    return this;
  }

  /** A sample of the current family; `suffix` as in `_bucket`. Labels with an empty value are left out. */
  sample(labels: Readonly<Record<string, string>>, value: number, suffix = ''): this {
    const text = labelText(labels);
    const braces = text === '' ? '' : `{${text}}`;
    this.#parts.push(`${this.#name}${suffix}${braces} ${formatFloatG(value)}\n`);
    return this;
  }

  /** As sample(), with labels that labelText() rendered once for many samples. */
  sampleText(labels: string, value: number): this {
    const braces = labels === '' ? ' ' : `{${labels}} `;
    this.#parts.push(`${this.#name}${braces}${formatFloatG(value)}\n`);
    return this;
  }

  toString(): string {
    return this.#parts.join('');
  }
}

/** `a="x",b="y"` without braces, values escaped; labels with an empty value are left out. '' for none. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  let text = '';
  for (const [name, value] of Object.entries(labels)) {
    if (value === '') continue;
    text += `${text === '' ? '' : ','}${name}="${escapeLabelValue(value)}"`;
  }
  return text;
}

function escapeLabelValue(value: string): string {
  return /[\\"\n]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n') : value;
}

interface Family {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly write: (out: ExpositionWriter) => void;
}

type LabelNames = readonly string[];

/** A number per label set; made by MetricRegistry. */
export class Counter {
  readonly #labelNames: LabelNames;
  readonly #values = new Map<string, { labels: Record<string, string>; value: number }>();

  constructor(labelNames: LabelNames) {
    this.#labelNames = labelNames;
    if (labelNames.length === 0) this.inc(0);
  }

  inc(by = 1, ...labelValues: string[]): void {
    this.#cell(labelValues).value += by;
  }

  set(value: number, ...labelValues: string[]): void {
    this.#cell(labelValues).value = value;
  }

  value(...labelValues: string[]): number {
    return this.#values.get(labelValues.join('\uffff'))?.value ?? 0;
  }

  remove(...labelValues: string[]): void {
    this.#values.delete(labelValues.join('\uffff'));
  }

  write(out: ExpositionWriter): void {
    for (const { labels, value } of this.#values.values()) out.sample(labels, value);
  }

  #cell(labelValues: string[]): { value: number } {
    const key = labelValues.join('\uffff');
    let cell = this.#values.get(key);
    if (!cell) {
      cell = { labels: labelsOf(this.#labelNames, labelValues), value: 0 };
      this.#values.set(key, cell);
    }
    return cell;
  }
}

/** Counts of observations by upper bound, per label set. */
export class Histogram {
  readonly #labelNames: LabelNames;
  readonly #bounds: readonly number[];
  readonly #cells = new Map<string, { labels: Record<string, string>; counts: Float64Array; sum: number }>();

  constructor(bounds: readonly number[], labelNames: LabelNames) {
    this.#bounds = bounds;
    this.#labelNames = labelNames;
    if (labelNames.length === 0) this.#cell([]);
  }

  observe(value: number, ...labelValues: string[]): void {
    const cell = this.#cell(labelValues);
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    cell.counts[bucket]! += 1;
    cell.sum += value;
  }

  write(out: ExpositionWriter): void {
    for (const { labels, counts, sum } of this.#cells.values()) {
      let total = 0;
      for (let i = 0; i <= this.#bounds.length; i++) {
        total += counts[i]!;
        const bound = i === this.#bounds.length ? Infinity : this.#bounds[i]!;
        out.sample({ ...labels, le: formatFloatG(bound) }, total, '_bucket');
      }
      out.sample(labels, sum, '_sum').sample(labels, total, '_count');
    }
  }

  #cell(labelValues: string[]): { counts: Float64Array; sum: number } {
    const key = labelValues.join('\uffff');
    let cell = this.#cells.get(key);
    if (!cell) {
      const counts = new Float64Array(this.#bounds.length + 1);
      cell = { labels: labelsOf(this.#labelNames, labelValues), counts, sum: 0 };
      this.#cells.set(key, cell);
    }
    return cell;
  }
}

function labelsOf(names: LabelNames, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}

/** The metrics of one process, written in order of registration. Names are Prometheus' where it has the same thing. */
export class MetricRegistry {
  readonly #families: Family[] = [];

  counter(name: string, help: string, labelNames: LabelNames = []): Counter {
    const counter = new Counter(labelNames);
    this.#families.push({ name, type: 'counter', help, write: (out) => counter.write(out) });
    return counter;
  }

  gauge(name: string, help: string, labelNames: LabelNames = []): Counter {
    const gauge = new Counter(labelNames);
    this.#families.push({ name, type: 'gauge', help, write: (out) => gauge.write(out) });
    return gauge;
  }

  /** A gauge or counter whose value is asked for when the metrics are written. */
  read(name: string, type: 'counter' | 'gauge', help: string, read: () => number): void {
    this.#families.push({ name, type, help, write: (out) => void out.sample({}, read()) });
  }

  histogram(name: string, help: string, bounds: readonly number[], labelNames: LabelNames = []): Histogram {
    const histogram = new Histogram(bounds, labelNames);
    this.#families.push({ name, type: 'histogram', help, write: (out) => histogram.write(out) });
    return histogram;
  }

  write(out: ExpositionWriter): void {
    for (const family of this.#families) {
      out.family(family.name, family.type, family.help);
      family.write(out);
    }
  }
}
