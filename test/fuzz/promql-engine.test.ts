// Random queries over random data: the engine against a step-by-step evaluator, and a range query against its halves.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import { Engine, type QueryOutcome } from '../../promql/engine.ts';
import { parseExpr } from '../../promql/parse/parse.ts';
import { MemoryStorage } from '../../promql/testing/memory-storage.ts';
import { evaluateNaively, type NaiveContext, type NaiveSeries } from '../support/naive-promql.ts';
import { ENGINE_OPTIONS, QUERY_CONTROL } from '../support/promql.ts';

const LONG = process.env['NARTHEX_LONG'] !== undefined;
const RUNS = { seed: 20261124, numRuns: LONG ? 20_000 : 150 };
const STEP_MS = 25_000;
const STEPS = 9;

const label = (values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);

const seriesArb: fc.Arbitrary<NaiveSeries> = fc
  .record({
    name: label(['a', 'b']),
    x: label(['0', '1', '']),
    y: label(['0', '1', '2']),
    samples: fc.array(
      fc.tuple(
        fc.integer({ min: 1, max: 40_000 }),
        fc.oneof(
          { weight: 12, arbitrary: fc.integer({ min: 0, max: 6 }) },
          { weight: 6, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
          { weight: 1, arbitrary: fc.constantFrom(NaN, 1e15, undefined) },
        ),
      ),
      { minLength: 1, maxLength: 14 },
    ),
  })
  .map(({ name, x, y, samples }) => {
    let time = 0;
    return {
      labels: Labels.fromObject({ __name__: name, x, y }),
      samples: samples.map(([gap, value]) => [(time += gap), value] as const),
    };
  });

const dataArb = fc
  .uniqueArray(seriesArb, { selector: ({ labels }) => labels.key(), minLength: 1, maxLength: 8 })
  .map((series) => series.toSorted((a, b) => Labels.compare(a.labels, b.labels)));

const shiftArb = label(['', '', '', ' offset 20s', ' offset -15s', ' @ 100', ' @ start()', ' @ end() offset 30s']);
const matchersArb = label(['', '', '{x="0"}', '{y!="1"}', '{x=~"0|1"}']);
const oneNameArb = fc.tuple(label(['a', 'b']), matchersArb).map((parts) => parts.join(''));
const anyNameArb = fc.oneof(
  { weight: 5, arbitrary: oneNameArb },
  { weight: 1, arbitrary: label(['{__name__=~"a|b"}', '{__name__=~"a|b",x="0"}']) },
);
const selectorArb = fc.tuple(anyNameArb, shiftArb).map((parts) => parts.join(''));
const rangeArb = fc
  .tuple(oneNameArb, label(['[30s]', '[1m]', '[100s]', '[5m]']), shiftArb)
  .map((parts) => parts.join(''));
const groupingArb = label(['', '', ' by (x)', ' by (x, y)', ' without (y)', ' by (__name__)']);
const matchingArb = label([
  '',
  ' on (x, y)',
  ' on (x)',
  ' ignoring (y)',
  ' on (x) group_left ()',
  ' on (x) group_left (y)',
  ' ignoring (y) group_right ()',
]);

const WINDOW_FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'resets',
  'changes',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'present_over_time',
  'last_over_time',
  'quantile_over_time',
];

const { vector: queryArb } = fc.letrec<{ vector: string; scalar: string; window: string }>((tie) => ({
  vector: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    selectorArb,
    fc.tuple(label(WINDOW_FUNCTIONS), tie('window')).map(([fn, window]) => {
      return fn === 'quantile_over_time' ? `${fn}(0.3, ${window})` : `${fn}(${window})`;
    }),
    fc
      .tuple(label(['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar']), groupingArb, tie('vector'))
      .map(([op, grouping, inner]) => `${op}${grouping} (${inner})`),
    fc.tuple(groupingArb, tie('vector')).map(([grouping, inner]) => `quantile${grouping} (0.7, ${inner})`),
    fc.tuple(label(['abs', 'ceil', 'round', 'sgn', '-']), tie('vector')).map(([fn, inner]) => `${fn}(${inner})`),
    fc
      .tuple(tie('vector'), label(['+', '*', '/', '%', '>', '<= bool', '==']), tie('scalar'))
      .map(([a, op, b]) => `((${a}) ${op} ${b})`),
    fc.tuple(tie('scalar'), label(['-', '!=', '> bool']), tie('vector')).map(([a, op, b]) => `(${a} ${op} (${b}))`),
    fc
      .tuple(tie('vector'), label(['+', '-', '>', '== bool']), matchingArb, tie('vector'))
      .map(([a, op, matching, b]) => `((${a}) ${op}${matching} (${b}))`),
    fc
      .tuple(tie('vector'), label(['and', 'or', 'unless']), label(['', ' on (x)', ' ignoring (y)']), tie('vector'))
      .map(([a, op, matching, b]) => `((${a}) ${op}${matching} (${b}))`),
    fc.tuple(tie('scalar')).map(([inner]) => `vector(${inner})`),
  ),
  scalar: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    label(['0', '2', '1.5', 'time()']),
    fc.tuple(tie('vector')).map(([inner]) => `scalar(${inner})`),
  ),
  window: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    { weight: 4, arbitrary: rangeArb },
    {
      weight: 1,
      arbitrary: fc
        .tuple(tie('vector'), label(['[1m:20s]', '[90s:15s]', '[2m:]', '[50s:7s] offset 10s', '[1m:30s] @ 120']))
        .map(([inner, range]) => `(sum(${inner}))${range}`),
    },
  ),
}));

function storageOf(data: readonly NaiveSeries[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const { labels, samples } of data) {
    const values = samples.map(([, value]) => value ?? NaN);
    storage.add(
      labels,
      samples.map(([time]) => time),
      values,
      samples.map(([, value]) => value === undefined),
    );
  }
  return storage;
}

/** Rows by labels and time, as text, or the fact that the query failed. */
type Points = ReadonlyMap<string, number> | 'failed';

function pointsOf({ result }: QueryOutcome): Map<string, number> {
  const points = new Map<string, number>();
  if (result.type === 'scalar') return points.set(`{} ${result.timeMs}`, result.value);
  if (result.type === 'string') return points;
  for (const { labels, times, values } of result.series) {
    times.forEach((time, i) => points.set(`${labels.toString()} ${time}`, values[i]!));
  }
  return points;
}

async function outcome(work: () => Promise<QueryOutcome>): Promise<Points> {
  try {
    return pointsOf(await work());
  } catch {
    return 'failed';
  }
}

function naivePoints(query: string, context: NaiveContext, times: readonly number[]): Points {
  const expr = parseExpr(query, ENGINE_OPTIONS.parser);
  const points = new Map<string, number>();
  try {
    for (const time of times) {
      const value = evaluateNaively(expr, time, context);
      const rows = typeof value === 'number' ? [{ labels: Labels.EMPTY, value }] : value;
      for (const row of rows) points.set(`${row.labels.toString()} ${time}`, row.value);
    }
  } catch {
    return 'failed';
  }
  return points;
}

function expectEqual(actual: Points, expected: Points): void {
  if (actual === 'failed' || expected === 'failed') return expect(actual).toBe(expected);
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [key, value] of actual) {
    const wanted = expected.get(key)!;
    if (value !== wanted && !(Number.isNaN(value) && Number.isNaN(wanted)))
      expect(`${key} ${value}`).toBe(`${key} ${wanted}`);
  }
}

const engine = new Engine(ENGINE_OPTIONS);
const timesFrom = (startMs: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => startMs + i * STEP_MS);
const startArb = fc.integer({ min: 0, max: 200_000 });

test('a range query equals the evaluation of each step by itself, to the last bit', async () => {
  const property = fc.asyncProperty(dataArb, queryArb, startArb, async (data, query, startMs) => {
    const endMs = startMs + (STEPS - 1) * STEP_MS;
    const context = { series: data, startMs, endMs, lookbackMs: 300_000, subqueryStepMs: 60_000 };
    const request = { query, startMs, endMs, stepMs: STEP_MS };
    const actual = await outcome(() => engine.range(request, storageOf(data), QUERY_CONTROL));
    expectEqual(actual, naivePoints(query, context, timesFrom(startMs, STEPS)));
  });
  await fc.assert(property, RUNS);
});

test('an instant query equals the evaluation of its step', async () => {
  const property = fc.asyncProperty(dataArb, queryArb, startArb, async (data, query, timeMs) => {
    const context = { series: data, startMs: timeMs, endMs: timeMs, lookbackMs: 300_000, subqueryStepMs: 60_000 };
    const actual = await outcome(() => engine.instant({ query, timeMs }, storageOf(data), QUERY_CONTROL));
    expectEqual(actual, naivePoints(query, context, [timeMs]));
  });
  await fc.assert(property, RUNS);
});

test('a range query cut in two gives the same points', async () => {
  // start() and end() mean something else in each part.
  const plainArb = queryArb.filter((query) => !/start\(|end\(/.test(query));
  const property = fc.asyncProperty(dataArb, plainArb, startArb, fc.nat({ max: STEPS - 2 }), async (...args) => {
    const [data, query, startMs, cut] = args;
    const storage = storageOf(data);
    const part = (from: number, to: number): Promise<Points> =>
      outcome(() => {
        const request = { query, startMs: startMs + from * STEP_MS, endMs: startMs + to * STEP_MS, stepMs: STEP_MS };
        return engine.range(request, storage, QUERY_CONTROL);
      });
    const whole = await part(0, STEPS - 1);
    const first = await part(0, cut);
    const second = await part(cut + 1, STEPS - 1);
    const parts = first === 'failed' || second === 'failed' ? 'failed' : new Map([...first, ...second]);
    expectEqual(whole, parts);
  });
  await fc.assert(property, RUNS);
});
