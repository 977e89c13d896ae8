import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import {
  compileRelabel,
  DEFAULT_RELABEL,
  relabel,
  type RelabelAction,
  type RelabelConfig,
} from '../../model/relabel.ts';

const CASES = new URL('../../../shared/conformance/relabel/cases.json', import.meta.url);

interface RelabelCase {
  readonly labels: Record<string, string>;
  readonly dropped: boolean;
  readonly expected?: Record<string, string>;
  readonly relabel_configs: readonly Record<string, unknown>[];
}

function rule(fields: Record<string, unknown>): RelabelConfig {
  return {
    action: (fields['action'] as string).toLowerCase() as RelabelAction,
    sourceLabels: (fields['source_labels'] as string[] | undefined) ?? [],
    separator: (fields['separator'] as string | undefined) ?? DEFAULT_RELABEL.separator,
    regex: (fields['regex'] as string | undefined) ?? DEFAULT_RELABEL.regex,
    targetLabel: (fields['target_label'] as string | undefined) ?? '',
    replacement: (fields['replacement'] as string | undefined) ?? DEFAULT_RELABEL.replacement,
    modulus: (fields['modulus'] as number | undefined) ?? 0,
  };
}

describe.skipIf(!existsSync(CASES))('relabelling does what Prometheus does', () => {
  const cases = existsSync(CASES) ? (JSON.parse(readFileSync(CASES, 'utf8')) as { cases: RelabelCase[] }).cases : [];
  test.each(cases.map((c, i) => [i, c] as const))('case %i', (_, { labels, relabel_configs, dropped, expected }) => {
    const rules = relabel_configs.map((fields) => compileRelabel(rule(fields)));
    const result = relabel(Labels.fromObject(labels), rules);
    expect(dropped ? result : result?.toObject()).toEqual(dropped ? undefined : expected);
  });
});

describe('rules that make no sense are refused', () => {
  test.each<[Partial<RelabelConfig>, string]>([
    [{ action: 'hashmod', targetLabel: 'x' }, 'relabel configuration for hashmod requires non-zero modulus'],
    [{ action: 'replace' }, "relabel configuration for replace action requires 'target_label' value"],
    [{ action: 'lowercase', targetLabel: 'a', replacement: 'b' }, "'replacement' can not be set for lowercase action"],
    [{ action: 'labeldrop', sourceLabels: ['a'] }, "labeldrop action requires only 'regex', and no other fields"],
    [
      { action: 'keepequal', targetLabel: 'a', regex: 'x' },
      "keepequal action requires only 'source_labels' and `target_label`, and no other fields",
    ],
    [{ action: 'labelmap', replacement: '' }, `"" is invalid 'replacement' for labelmap action`],
    [{ action: 'keep', regex: '(' }, 'error parsing regexp'],
  ])('%j', (fields, message) => {
    expect(() => compileRelabel({ ...DEFAULT_RELABEL, ...fields })).toThrow(message);
  });

  test('a legacy scheme takes legacy names only', () => {
    const config = { ...DEFAULT_RELABEL, targetLabel: 'a.b' };
    expect(() => compileRelabel(config, 'legacy')).toThrow(`"a.b" is invalid 'target_label' for replace action`);
    expect(compileRelabel(config).config.targetLabel).toBe('a.b');
  });
});

test('a label that is relabelled to nothing is gone, and unchanged labels are the same object', () => {
  const labels = Labels.fromObject({ a: 'x', b: 'y' });
  const remove = compileRelabel({ ...DEFAULT_RELABEL, targetLabel: 'a', replacement: '' });
  expect(relabel(labels, [remove])?.toObject()).toEqual({ b: 'y' });
  const keep = compileRelabel({ ...DEFAULT_RELABEL, action: 'keep', sourceLabels: ['a'], regex: 'x' });
  expect(relabel(labels, [keep])).toBe(labels);
});
