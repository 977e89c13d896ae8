import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { metricTables } from '../support/exporter-docs.ts';

const PATH = fileURLToPath(new URL('../../docs/exporters.md', import.meta.url));
const START = '<!-- metrics: written by test/exporters/main.test.ts, NARTHEX_UPDATE=1 -->\n\n';
const END = '\n\n<!-- end of metrics -->';

/** A table's cells without the padding a formatter may add. */
function compact(text: string): string {
  return text
    .replaceAll(/ *\| */g, '|')
    .replaceAll(/-+/g, '-')
    .trim();
}

test('docs/exporters.md lists every metric the code declares', () => {
  const text = readFileSync(PATH, 'utf8');
  const [before, rest = ''] = text.split(START) as [string, string?];
  const [tables, after = ''] = rest.split(END) as [string, string?];
  if (process.env['NARTHEX_UPDATE']) writeFileSync(PATH, `${before}${START}${metricTables()}${END}${after}`);
  else expect(compact(tables)).toBe(compact(metricTables()));
});
