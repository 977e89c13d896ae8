import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const EXPORTER_FIXTURES = fileURLToPath(
  new URL('../../../shared/conformance/exporters/fixtures', import.meta.url),
);
export const hasExporterFixtures = existsSync(EXPORTER_FIXTURES);
export type FixtureName = 'cgroup-v1-hybrid-docker' | 'cgroup-v2-docker';

/** A captured machine in a temporary folder. `inspected` holds the engine's answers by container id. */
export interface ExporterFixture {
  readonly root: string;
  readonly procfs: string;
  readonly sysfs: string;
  readonly inspected: ReadonlyMap<string, Record<string, unknown>>;
  remove(): void;
}

/** Unpacks a fixture and makes real links of the link listings in it. */
export function unpackFixture(name: FixtureName): ExporterFixture {
  const root = mkdtempSync(join(tmpdir(), 'narthex-fixture-'));
  execFileSync('tar', ['-xzf', join(EXPORTER_FIXTURES, `${name}.tar.gz`), '-C', root]);
  const procfs = join(root, 'proc');
  for (const pid of readdirSync(procfs)) {
    linkListing(join(procfs, pid), 'ns');
    linkListing(join(procfs, pid), 'fd');
  }
  const inspected = new Map<string, Record<string, unknown>>();
  for (const file of readdirSync(join(root, 'docker'))) {
    const answer = JSON.parse(readFileSync(join(root, 'docker', file), 'utf8')) as Record<string, unknown>;
    inspected.set(String(answer['Id']), answer);
  }
  return { root, procfs, sysfs: join(root, 'sys'), inspected, remove: () => rmSync(root, { recursive: true }) };
}

function linkListing(directory: string, name: string): void {
  const listing = join(directory, `${name}.txt`);
  if (!existsSync(listing)) return;
  mkdirSync(join(directory, name), { recursive: true });
  for (const line of readFileSync(listing, 'utf8').split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) symlinkSync(line.slice(space + 1), join(directory, name, line.slice(0, space)));
  }
}

/** Series of a text exposition: `name{a="x",b="y"}` with labels sorted and empty ones left out -> value. */
export function parseSeries(text: string): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match) throw new Error(`not a sample: ${line}`);
    const pairs = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].filter((pair) => pair[2] !== '');
    const labels = pairs.map((pair) => `${pair[1]}="${pair[2]}"`).sort();
    const key = `${match[1]}{${labels.join(',')}}`;
    if (series.has(key)) throw new Error(`twice in one body: ${key}`);
    series.set(key, numberOfSample(match[3]!));
  }
  return series;
}

/** `# TYPE` lines: name -> type. Throws when a family is in two places. */
export function parseTypes(text: string): Map<string, string> {
  const types = new Map<string, string>();
  for (const match of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (types.has(match[1]!)) throw new Error(`two families called ${match[1]}`);
    types.set(match[1]!, match[2]!);
  }
  return types;
}

export function nameOf(series: string): string {
  return series.slice(0, series.indexOf('{'));
}

function numberOfSample(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}
