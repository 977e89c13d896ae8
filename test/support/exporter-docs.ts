import type { Collector, Family } from '../../exporters/collector.ts';
import { CONTAINER_FAMILIES } from '../../exporters/containers.ts';
import { FileReader } from '../../exporters/files.ts';
import { HOST_COLLECTORS, SCRAPE_FAMILIES } from '../../exporters/main.ts';
import { resolvePaths } from '../../exporters/options.ts';

/** The tables of docs/exporters.md, from the families the code declares. */
export function metricTables(): string {
  const context = { files: new FileReader(0), paths: resolvePaths({}), nowMs: () => 0 };
  const collectors: Collector[] = Object.values(HOST_COLLECTORS).map((create) => create(context));
  const parts = collectors.map(({ name, source, families }) => `#### ${name}\n\nFrom ${source}.\n\n${table(families)}`);
  return [
    '### Machine (`/metrics/host`)',
    ...parts,
    `#### of every collector\n\n${table(SCRAPE_FAMILIES)}`,
    '### Containers (`/metrics/cadvisor`)',
    table(CONTAINER_FAMILIES),
  ].join('\n\n');
}

function table(families: readonly Family[]): string {
  const rows = families.map(({ name, type, labels, help }) => {
    return `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help.replaceAll('|', '\\|')} |`;
  });
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
