import type { ExpositionWriter, FamilyType } from '../util/metrics.ts';
import type { FileReader } from './files.ts';

/** One metric name. `labels` says which labels its series carry, for the documentation. */
export interface Family {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  readonly labels: readonly string[];
}

export function counter(name: string, help: string, ...labels: string[]): Family {
  return { name, type: 'counter', help, labels };
}

export function gauge(name: string, help: string, ...labels: string[]): Family {
  return { name, type: 'gauge', help, labels };
}

export function untyped(name: string, help: string, ...labels: string[]): Family {
  return { name, type: 'untyped', help, labels };
}

/** Where the kernel's files are; each without a trailing slash ('' for the root directory of `rootfs`). */
export interface ExporterPaths {
  readonly procfs: string;
  readonly sysfs: string;
  readonly rootfs: string;
  readonly cgroup: string;
}

/** What a collector reads with. `nowMs` is the wall clock. */
export interface CollectorContext {
  readonly files: FileReader;
  readonly paths: ExporterPaths;
  readonly nowMs: () => number;
}

/**
 * One group of metrics, switched by name as in node_exporter. `collect` throws when its source cannot be read: what
 * it added until then is still served, and node_scrape_collector_success says 0.
 */
export interface Collector {
  readonly name: string;
  /** The metrics it may send; a name with `<Field>` stands for one per field of the kernel's file. */
  readonly families: readonly Family[];
  readonly source: string;
  collect(out: SampleSet): void | Promise<void>;
  close?(): void;
}

/** Makes a collector; holds what it keeps between scrapes. */
export type CollectorFactory = (context: CollectorContext) => Collector;

/** A collector found nothing to read: the hardware or kernel option is absent. Reported as success 0, not logged. */
export class NoDataError extends Error {}

interface FamilySamples {
  readonly labels: string[];
  readonly values: number[];
}

/** Samples of one scrape, gathered in any order and written family by family. */
export class SampleSet {
  readonly #families = new Map<Family, FamilySamples>();
  readonly #byName = new Map<string, Family>();

  /**
   * `labels` is rendered text (see `labelText` of util/metrics.ts), '' for none. NaN is left out: the kernel counts in
   * whole numbers, so it comes from a file that was cut or garbled, and no sample is right then.
   */
  add(family: Family, labels: string, value: number): void {
    if (value !== value) return;
    let samples = this.#families.get(family);
    if (!samples) {
      samples = { labels: [], values: [] };
      this.#families.set(family, samples);
    }
    samples.labels.push(labels);
    samples.values.push(value);
  }

  /** As add() for a family whose name comes from the kernel's file; what a name may not hold becomes `_`. */
  addNamed(name: string, type: FamilyType, help: string, value: number): void {
    let family = this.#byName.get(name);
    if (!family) {
      family = { name: name.replaceAll(/[^a-zA-Z0-9_:]/g, '_'), type, help, labels: [] };
      this.#byName.set(name, family);
    }
    this.add(family, '', value);
  }

  write(out: ExpositionWriter): void {
    for (const [family, { labels, values }] of this.#families) {
      out.family(family.name, family.type, family.help);
      for (let i = 0; i < values.length; i++) out.sampleText(labels[i]!, values[i]!);
    }
  }
}
