import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toApiTree } from '../../../promql/parse/api-tree.ts';
import { parseExpr } from '../../../promql/parse/parse.ts';
import { DEFAULT_PARSER_OPTIONS } from '../../../promql/options.ts';

interface ApiCase {
  readonly method: string;
  readonly path: string;
  readonly params: string;
  readonly response: { readonly json: { readonly data?: object } };
}

const FILE = new URL('../../../../shared/conformance/http-api/cases.json', import.meta.url);
const cases = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as { cases: ApiCase[] }).cases : [];

describe.skipIf(!existsSync(FILE))('trees as the recorded server answers, with what is new since', () => {
  const answered = cases.filter(({ path, response }) => path === '/api/v1/parse_query' && response.json.data);

  test('there are some', () => expect(answered.length).toBeGreaterThan(1));

  test.each(
    answered.map((each) => [new URLSearchParams(each.params).get('query')!, each.response.json.data!] as const),
  )('%s', (query, data) => expect(toApiTree(parseExpr(query, DEFAULT_PARSER_OPTIONS))).toMatchObject(data));
});

test('durations that are expressions, fill values and extensions are told', () => {
  const options = {
    experimentalFunctions: true,
    durationExpressions: true,
    extendedRangeSelectors: true,
    fillModifiers: true,
  };
  const tree = (text: string): unknown => toApiTree(parseExpr(text, options));
  expect(tree('up[(5m)] anchored offset -step()')).toMatchObject({
    type: 'matrixSelector',
    range: 0,
    rangeExpr: { type: 'durationExpr', op: '+', lhs: null, rhs: { val: '300', duration: true }, wrapped: true },
    offset: 0,
    offsetExpr: { op: '-', lhs: null, rhs: { op: 'step', lhs: null, rhs: null } },
    anchored: true,
    smoothed: false,
  });
  expect(tree('a + fill_left(2) b @ 3')).toMatchObject({
    matching: { card: 'one-to-one', on: false, labels: [], include: [], fillValues: { lhs: 2, rhs: null } },
    rhs: { timestamp: 3000, startOrEnd: null },
  });
  expect(tree('min_over_time(a[1h:max_of(1m, 2*30)])')).toMatchObject({
    args: [
      { range: 3_600_000, step: 0, stepExpr: { op: 'max_of', rhs: { op: '*', rhs: { val: '30', duration: false } } } },
    ],
  });
});
