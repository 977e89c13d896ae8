import { lex } from '../promql/parse/lex.ts';
import { parseExpr } from '../promql/parse/parse.ts';
import { prettyExpr } from '../promql/parse/pretty.ts';
import { printExpr } from '../promql/parse/print.ts';
import { DEFAULT_PARSER_OPTIONS } from '../promql/options.ts';
import { compileAnchored } from '../util/regexp.ts';
import { nsPer, type BenchResult } from './harness.ts';

const SHORT = 'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / 100 > 2';
const LONG = Array.from(
  { length: 32 },
  (_, i) => `sum by (job) (rate(http_requests_${i}{code=~"5..",a="b"}[5m]))`,
).join(' + ');

export async function run(): Promise<BenchResult[]> {
  const started = performance.now();
  parseExpr('up', DEFAULT_PARSER_OPTIONS);
  const firstMs = performance.now() - started;
  const us = (work: () => void, count: number): number => {
    return (
      nsPer(count, () => {
        for (let i = 0; i < count; i++) work();
      }) / 1000
    );
  };
  const long = parseExpr(LONG, DEFAULT_PARSER_OPTIONS);
  return [
    { name: 'first parse of a thread', value: firstMs, unit: 'ms', note: 'builds lexer and grammar' },
    { name: `lex, ${SHORT.length} characters`, value: us(() => lex(SHORT), 20_000), unit: 'us' },
    {
      name: `parse and check, ${SHORT.length} characters`,
      value: us(() => parseExpr(SHORT, DEFAULT_PARSER_OPTIONS), 20_000),
      unit: 'us',
      note: 'prototype: 3.7, lexer and bare grammar',
    },
    {
      name: `parse and check, ${LONG.length} characters`,
      value: us(() => parseExpr(LONG, DEFAULT_PARSER_OPTIONS), 1000),
      unit: 'us',
      note: 'prototype: 126 for 2 kB',
    },
    { name: `print, ${LONG.length} characters`, value: us(() => printExpr(long), 1000), unit: 'us' },
    { name: `format, ${LONG.length} characters`, value: us(() => prettyExpr(long), 200), unit: 'us' },
    ...matching('api|web|worker'),
    ...matching('prod-.*'),
    ...matching('[a-z]+-\\d+'),
  ];
}

/** One matcher over 1,000 distinct label values, as a selector tests them. */
function matching(pattern: string): BenchResult[] {
  const values = Array.from({ length: 1000 }, (_, i) => `prod-${i}`);
  const compiled = compileAnchored(pattern);
  const test = (): void => {
    for (const value of values) compiled.matches(value);
  };
  return [{ name: `match a label value with ${pattern}`, value: nsPer(values.length, test, 50), unit: 'ns' }];
}
