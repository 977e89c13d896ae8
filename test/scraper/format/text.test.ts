import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { TextParser } from '../../../scraper/format/text.ts';
import { wordsToNumber } from '../../../util/float-bits.ts';

const FOLDER = new URL('../../../../shared/conformance/exposition/', import.meta.url);
const hasConformance = existsSync(FOLDER);

interface Entry {
  readonly entry: string;
  readonly metric?: string;
  readonly help?: string;
  readonly type?: string;
  readonly comment?: string;
  readonly labels?: Record<string, string>;
  readonly value?: number | string;
  readonly timestamp_ms?: number;
}

interface Case {
  readonly name?: string;
  readonly content_type: string;
  readonly options?: { readonly type_and_unit_labels?: boolean };
  readonly body?: string;
  readonly body_base64?: string;
  readonly entries: readonly Entry[] | null;
  readonly error?: string;
}

function readCases(file: string): Case[] {
  return hasConformance ? (JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { cases: Case[] }).cases : [];
}

/** The entries of a body up to its end or its fault, in the shape of the conformance files. */
function parse(body: Buffer): { entries: Entry[]; error?: string } {
  const parser = new TextParser();
  const bytes = Buffer.concat([body, Buffer.from('\n')]);
  parser.reset(bytes, bytes.length);
  const entries: Entry[] = [];
  try {
    for (let kind = parser.next(); kind !== 'end'; kind = parser.next()) {
      if (kind === 'comment') entries.push({ entry: kind, comment: parser.text('comment') });
      else if (kind === 'help') entries.push({ entry: kind, metric: parser.familyName(), help: parser.text('help') });
      else if (kind === 'type') entries.push({ entry: kind, metric: parser.familyName(), type: parser.type });
      else entries.push(series(parser));
    }
  } catch (error) {
    return { entries, error: (error as Error).message };
  }
  return { entries };
}

function series(parser: TextParser): Entry {
  const labels: Record<string, string> = {};
  const pairs = parser.labelPairs();
  for (let i = 0; i < pairs.length; i += 2) labels[pairs[i]!] = pairs[i + 1]!;
  const value = wordsToNumber(parser.hi, parser.lo);
  const shown = Number.isFinite(value) ? value : value !== value ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const entry = { entry: 'series', labels, value: shown };
  return parser.hasTimestamp ? { ...entry, timestamp_ms: parser.timestampMs } : entry;
}

function check(found: { entries: Entry[]; error?: string }, expected: Case): void {
  expect(found.entries).toEqual(expected.entries ?? []);
  if (expected.error === undefined) expect(found.error).toBeUndefined();
  // Ours names the line after Prometheus' text.
  else expect(found.error?.slice(0, expected.error.length)).toBe(expected.error);
}

describe.skipIf(!hasConformance)('bodies parse as in Prometheus', () => {
  const isOurs = (c: Case) => c.content_type.startsWith('text/plain') && c.options?.type_and_unit_labels !== true;
  const cases = readCases('parser-cases.json').filter(isOurs);
  test.each(cases.map((c, i) => [i, c] as const))('parser case %i', (_, c) => {
    check(parse(c.body === undefined ? Buffer.from(c.body_base64 ?? '', 'base64') : Buffer.from(c.body)), c);
  });

  const verdicts = readCases('openmetrics-prometheus-verdicts.json').filter((c) => c.content_type === 'text/plain');
  test.each(verdicts.map((c) => [c.name ?? '', c] as const))('OpenMetrics suite: %s', (name, c) => {
    check(parse(readFileSync(new URL(`openmetrics/${name}/metrics`, FOLDER))), c);
  });
});

test('a fault names its line', () => {
  const { error } = parse(Buffer.from('a 1\n\nb{x="y"} 2\n  c{ 3\n'));
  expect(error).toContain('(line 4: "  c{ 3")');
});

test('a NUL at the start of a line ends the body', () => {
  expect(parse(Buffer.from('a 1\n\0b 2\n')).entries).toHaveLength(1);
});
