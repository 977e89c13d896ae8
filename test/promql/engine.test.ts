import { describe, expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import { Engine, type QueryControl, type QueryOutcome } from '../../promql/engine.ts';
import type { EngineOptions } from '../../promql/options.ts';
import { MemoryStorage } from '../../promql/testing/memory-storage.ts';
import { ENGINE_OPTIONS, QUERY_CONTROL, instantQuery, rangeQuery, rowsOf, storageFrom } from '../support/promql.ts';

const MINUTE = 60_000;

/** `series` series of one metric, a sample every 15 s up to `endMs`. */
function manySeries(series: number, endMs: number): MemoryStorage {
  const storage = new MemoryStorage();
  const times = Array.from({ length: endMs / 15_000 + 1 }, (_, i) => i * 15_000);
  for (let s = 0; s < series; s++) {
    const labels = Labels.fromObject({ __name__: 'm_total', instance: String(s), job: `j${s % 3}`, le: String(s) });
    storage.add(
      labels,
      times,
      times.map((time) => (time * (s + 1)) % 977),
    );
  }
  return storage;
}

function engineWith(options: Partial<EngineOptions>): Engine {
  return new Engine({ ...ENGINE_OPTIONS, ...options });
}

describe('results', () => {
  const storage = storageFrom('m{a="1"} 1 2 3 4 5', 'm{a="0"} 5 4 _ 2 1', 'n 7 7 7 7 7');

  test('a vector has a point per series at the time of the query', async () => {
    const { result } = await instantQuery('m', storage, 2 * MINUTE);
    expect(result.type).toBe('vector');
    expect(rowsOf(result)).toEqual(['{__name__="m", a="0"} 4@120', '{__name__="m", a="1"} 3@120']);
  });

  test('a matrix is sorted by labels and has only the points there are', async () => {
    const { result } = await rangeQuery('m or n', storage, { startMs: 0, endMs: 9 * MINUTE, stepMs: 3 * MINUTE });
    expect(rowsOf(result)).toEqual([
      '{__name__="m", a="0"} 5@0 2@180 1@360',
      '{__name__="m", a="1"} 1@0 4@180 5@360',
      '{__name__="n"} 7@0 7@180 7@360',
    ]);
    expect(result.type === 'matrix' && result.axis).toEqual({ startMs: 0, stepMs: 3 * MINUTE, count: 4 });
  });

  test('a range selector gives the raw samples of its left-open window', async () => {
    const { result } = await instantQuery('m[2m]', storage, 3 * MINUTE);
    expect(result).toMatchObject({ type: 'matrix', axis: undefined });
    expect(rowsOf(result)).toEqual(['{__name__="m", a="0"} 2@180', '{__name__="m", a="1"} 3@120 4@180']);
  });

  test('a subquery gives its own steps', async () => {
    const { result } = await instantQuery('sum(m)[3m:90s]', storage, 4 * MINUTE);
    expect(rowsOf(result)).toEqual(['{} 6@90 6@180']);
  });

  test('scalars and strings', async () => {
    expect((await instantQuery('1 + 2 ^ 3', storage, 5000)).result).toEqual({ type: 'scalar', timeMs: 5000, value: 9 });
    expect((await instantQuery('"x"', storage, 5000)).result).toEqual({ type: 'string', timeMs: 5000, value: 'x' });
    const { result } = await rangeQuery('time()', storage, { startMs: 0, endMs: 2000, stepMs: 1000 });
    expect(rowsOf(result)).toEqual(['{} 0@0 1@1 2@2']);
  });

  test('sort and topk order an instant vector, best first, NaN last', async () => {
    const values = storageFrom('v{i="a"} 2', 'v{i="b"} NaN', 'v{i="c"} 3', 'v{i="d"} 1');
    const order = async (query: string): Promise<string> =>
      rowsOf((await instantQuery(query, values, 0)).result)
        .map((row) => /i="(\w)"/.exec(row)![1])
        .join('');
    expect(await order('sort(v)')).toBe('dacb');
    expect(await order('sort_desc(v)')).toBe('cadb');
    expect(await order('topk(3, v)')).toBe('cad');
    expect(await order('bottomk(4, v)')).toBe('dacb');
    expect(await order('sort_by_label_desc(v, "i")')).toBe('dcba');
  });

  test('limit cuts the series and says so', async () => {
    const outcome = await new Engine(ENGINE_OPTIONS).instant(
      { query: 'm', timeMs: 0, limit: 1 },
      storage,
      QUERY_CONTROL,
    );
    expect(rowsOf(outcome.result)).toEqual(['{__name__="m", a="0"} 5@0']);
    expect(outcome.warnings).toEqual(['results truncated due to limit']);
  });

  test('the lookback delta of the request replaces the default', async () => {
    const request = { query: 'n', timeMs: 6 * MINUTE, lookbackDeltaMs: MINUTE };
    const { result } = await new Engine(ENGINE_OPTIONS).instant(request, storage, QUERY_CONTROL);
    expect(rowsOf(result)).toEqual([]);
  });
});

describe('names', () => {
  const storage = storageFrom('a{x="1"} 1 _', 'b{x="1"} _ 2');
  const axis = { startMs: 0, endMs: MINUTE, stepMs: MINUTE };
  const query = '-{__name__=~"a|b"}';

  test('series that lose their names are joined where they do not overlap', async () => {
    const engine = engineWith({ lookbackDeltaMs: 30_000 });
    const { result } = await engine.range({ query, ...axis }, storage, QUERY_CONTROL);
    expect(rowsOf(result)).toEqual(['{x="1"} -1@0 -2@60']);
  });

  test.each([false, true])('and are an error where they do (delayed removal: %s)', async (delayedNameRemoval) => {
    const engine = engineWith({ delayedNameRemoval });
    await expect(engine.range({ query, ...axis }, storage, QUERY_CONTROL)).rejects.toMatchObject({
      code: 'execution',
      message: 'vector cannot contain metrics with the same labelset',
    });
  });

  test('delayed removal keeps the name for label_replace', async () => {
    const text = 'label_replace(-a, "was", "$1", "__name__", "(.*)")';
    const late = await engineWith({ delayedNameRemoval: true }).instant(
      { query: text, timeMs: 0 },
      storage,
      QUERY_CONTROL,
    );
    expect(rowsOf(late.result)).toEqual(['{was="a", x="1"} -1@0']);
    const early = await engineWith({}).instant({ query: text, timeMs: 0 }, storage, QUERY_CONTROL);
    expect(rowsOf(early.result)).toEqual(['{x="1"} -1@0']);
  });
});

describe('errors of matching', () => {
  const storage = storageFrom(
    'l{a="1",b="1"} 1',
    'l{a="1",b="2"} 2',
    'r{a="1",c="1"} 3',
    'r{a="1",c="2"} 4',
    's{a="1"} 5',
  );
  const message = (query: string): Promise<unknown> =>
    instantQuery(query, storage, 0).then(
      () => 'no error',
      (error: Error) => error.message,
    );

  test('name the group and both series of the side that must be single', async () => {
    expect(await message('l + on (a) group_left () r')).toBe(
      'found duplicate series for the match group {a="1"} on the right hand-side of the operation: ' +
        '[{__name__="r", a="1", c="1"}, {__name__="r", a="1", c="2"}];' +
        'many-to-many matching not allowed: matching labels must be unique on one side',
    );
    expect(await message('l + on (a) group_right () s')).toContain('on the left hand-side of the operation');
  });

  test('say when a match needs group_left, and when grouping labels do not make results unique', async () => {
    const explicit = 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)';
    expect(await message('l + on (a) s')).toBe(explicit);
    expect(await message('l > on (a) s')).toBe(explicit);
    expect(await message('sum without (b) (l) + on (a) group_left () s')).toBe('no error');
    const both = storageFrom('l{a="1"} 1', 'k{a="1"} 1', 's{a="1"} 5');
    await expect(instantQuery('{__name__=~"l|k"} + on (a) group_left () s', both, 0)).rejects.toThrow(
      'multiple matches for labels: grouping labels must ensure unique matches',
    );
  });
});

describe('limits', () => {
  const storage = manySeries(20, 60 * MINUTE);
  const axis = { startMs: 0, endMs: 60 * MINUTE, stepMs: MINUTE };

  test('samples are counted as a step-wise evaluation holds them', async () => {
    const fits = engineWith({ samplesMax: 20 * 61 });
    await fits.range({ query: 'sum(m_total)', ...axis }, storage, QUERY_CONTROL);
    await expect(
      engineWith({ samplesMax: 20 * 61 - 1 }).range({ query: 'sum(m_total)', ...axis }, storage, QUERY_CONTROL),
    ).rejects.toMatchObject({
      code: 'execution',
      message: 'query processing would load too many samples into memory in query execution',
    });
  });

  // What Prometheus 3.5.3 answers with stats=all, as a formula of 20 series with a sample at each of 61 steps.
  const all = 20 * 61;
  test.each([
    ['m_total', all, all],
    ['sum(m_total)', all, all],
    ['-m_total', all, all],
    ['abs(m_total)', all, all + all + 20],
    ['m_total > bool 50', all, all + 61 + all + 21],
    ['abs(m_total) + ceil(m_total)', 2 * all, all + all + all + 40],
    ['exp(m_total / 100)', all, all + 61 + all + 21],
    ['topk(3, m_total)', all, all + 61],
    ['timestamp(m_total)', all, all + 20],
    ['m_total @ 1800', all, all],
    ['sum_over_time(m_total[5m] @ 1800)', 20 * 20 * 61, all],
    ['sum_over_time(m_total[60s])', 20 * (4 * 61 - 3), all + 4],
    ['sum_over_time(m_total[5m:1m])', 20 * (5 * 61 - 10), 20 * 61 + all + 5],
    ['vector(time())', 0, 61 + 61 + 1],
  ])('stats of %s', async (query, total, peak) => {
    const { stats } = await rangeQuery(query, storage, axis);
    expect([stats.totalQueryableSamples, stats.peakSamples]).toEqual([total, peak]);
  });

  test('memory is limited in bytes, and the message names them and the flag', async () => {
    const engine = engineWith({ memoryBytesMax: 20_000 });
    await expect(engine.range({ query: 'm_total', ...axis }, storage, QUERY_CONTROL)).rejects.toMatchObject({
      code: 'execution',
      message: expect.stringMatching(/more than 20000 bytes of memory, .*--query\.max-memory/) as string,
    });
    await expect(instantQuery('rate(m_total[1y:1ms])', storage, 60 * MINUTE)).rejects.toThrow('--query.max-memory');
  });
});

const HEAVY = [
  'rate(m_total[1h])',
  'quantile_over_time(0.9, m_total[1h])',
  'mad_over_time(m_total[1h])',
  'predict_linear(m_total[1h], 3600)',
  'increase(m_total[1h] smoothed)',
  'absent_over_time(m_total[1h])',
  'max_over_time(sum_over_time(m_total[30m])[30m:10s])',
  'topk(3, sum_over_time(m_total[1h]))',
  'quantile by (job) (0.5, avg_over_time(m_total[1h]))',
  'count_values("v", stddev_over_time(m_total[1h]))',
  'histogram_quantile(0.9, sum by (le) (sum_over_time(m_total[1h])))',
  'sum_over_time(m_total[1h]) / on (instance) group_left () changes(m_total[1h])',
  'sum_over_time(m_total[1h]) unless m_total',
  'scalar(sum(sum_over_time(m_total[1h])))',
  'label_replace(deriv(m_total[1h]), "a", "b", "job", ".*")',
  'info(sum_over_time(m_total[1h]))',
  'sort(sum_over_time(m_total[1h]))',
];

describe('cancellation', () => {
  const storage = manySeries(40, 3 * 3_600_000);
  const axis = { startMs: 0, endMs: 3 * 3_600_000, stepMs: 30_000 };

  test.each(HEAVY)('gives way and stops: %s', async (query) => {
    let turns = 0;
    const control: QueryControl = {
      ...QUERY_CONTROL,
      isCanceled: () => turns >= 3,
      yieldTurn: () => {
        turns++;
        return Promise.resolve();
      },
    };
    await expect(new Engine(ENGINE_OPTIONS).range({ query, ...axis }, storage, control)).rejects.toMatchObject({
      code: 'canceled',
      message: 'query was canceled in query execution',
    });
    expect(turns).toBe(3);
  });

  test('queries that give way to each other do not disturb each other', async () => {
    const engine = new Engine(ENGINE_OPTIONS);
    const queries = HEAVY.slice(0, 6);
    const run = (query: string): Promise<QueryOutcome> => engine.range({ query, ...axis }, storage, QUERY_CONTROL);
    const together = await Promise.all(queries.map(run));
    for (const [i, query] of queries.entries())
      expect(rowsOf(together[i]!.result)).toEqual(rowsOf((await run(query)).result));
  });

  test('the deadline ends a query', async () => {
    let now = 0;
    const control: QueryControl = { ...QUERY_CONTROL, now: () => (now += 40), deadlineMs: 100 };
    await expect(
      new Engine(ENGINE_OPTIONS).range({ query: HEAVY[1]!, ...axis }, storage, control),
    ).rejects.toMatchObject({
      code: 'timeout',
      message: 'query timed out in query execution',
    });
  });

  test('the storage gets its view back, whatever happens', async () => {
    let open = 0;
    const counting = {
      querier: (minTime: number, maxTime: number) => {
        open++;
        const inner = storage.querier(minTime, maxTime);
        return {
          select: inner.select.bind(inner),
          labelNames: inner.labelNames.bind(inner),
          labelValues: inner.labelValues.bind(inner),
          close: () => void open--,
        };
      },
    };
    const control: QueryControl = { ...QUERY_CONTROL, isCanceled: () => open > 0 };
    await expect(new Engine(ENGINE_OPTIONS).range({ query: HEAVY[0]!, ...axis }, counting, control)).rejects.toThrow();
    await new Engine(ENGINE_OPTIONS).instant({ query: 'm_total', timeMs: 0 }, counting, QUERY_CONTROL);
    expect(open).toBe(0);
  });
});

describe('annotations', () => {
  const storage = storageFrom(
    'gauge{le="x"} 1 2',
    'b_bucket{le="1"} 3 3',
    'b_bucket{le="2"} 2 2',
    'b_bucket{le="+Inf"} 4 4',
  );
  const notes = async (query: string): Promise<readonly string[]> => {
    const { warnings, infos } = await instantQuery(query, storage, MINUTE);
    return [...warnings, ...infos];
  };

  test('carry the place of the argument', async () => {
    expect(await notes('sum(rate(gauge[5m]))')).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "gauge" (1:10)',
    ]);
    expect(await notes('# é\n  quantile_over_time(1.5, gauge[5m])')).toEqual([
      'PromQL warning: quantile value should be between 0 and 1, got 1.5 (2:22)',
    ]);
    expect(await notes('quantile(-1, gauge)')).toEqual([
      'PromQL warning: quantile value should be between 0 and 1, got -1 (1:10)',
    ]);
  });

  test('of histograms', async () => {
    expect(await notes('histogram_quantile(0.5, gauge)')).toEqual([
      'PromQL warning: bucket label "le" is missing or has a malformed value of "x" (1:25)',
    ]);
    expect(await notes('histogram_quantile(0.5, b_bucket)')).toEqual([
      'PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see ' +
        'https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile), from buckets 2 to 2, ' +
        'with a max diff of 1, over 1 samples from 1970-01-01T00:01:00Z to 1970-01-01T00:01:00Z (1:25)',
    ]);
  });

  test('sort in a range query', async () => {
    const { warnings } = await rangeQuery('1 + sort(gauge)', storage, { startMs: 0, endMs: MINUTE, stepMs: MINUTE });
    expect(warnings).toEqual([
      'PromQL warning: sort is ineffective for range queries since results are always ordered by labels (1:5)',
    ]);
  });
});

describe('bad queries', () => {
  const storage = storageFrom('m 1 2 3');

  test.each([
    ['m[5m]', 'invalid expression type "range vector" for range query, must be Scalar or instant Vector'],
    ['"x"', 'invalid expression type "string" for range query, must be Scalar or instant Vector'],
  ])('range query of %s', async (query, message) => {
    const request = rangeQuery(query, storage, { startMs: 0, endMs: 1000, stepMs: 1000 });
    await expect(request).rejects.toMatchObject({ code: 'bad_data', message });
  });

  test.each([
    ['topk(NaN, m)', 'Parameter value is NaN'],
    ['topk(1e300, m)', 'Scalar value 1e+300 overflows int64'],
    ['bottomk(-1e300, m)', 'Scalar value -1e+300 underflows int64'],
    ['limit_ratio(NaN, m)', 'Ratio value is NaN'],
    ['count_values("", m)', 'invalid label name ""'],
    ['label_replace(m, "", "", "", "")', 'invalid destination label name in label_replace(): '],
    ['label_replace(m, "a", "", "", "(")', 'invalid regular expression in label_replace(): ('],
    ['label_join(m, "a", "-", "")', 'invalid source label name in label_join(): '],
    ['double_exponential_smoothing(m[5m], 0, 0.5)', 'invalid smoothing factor. Expected: 0 < sf < 1, got: 0.000000'],
    ['double_exponential_smoothing(m[5m], 0.5, 2)', 'invalid trend factor. Expected: 0 < tf < 1, got: 2.000000'],
    [
      'avg_over_time(m[5m] anchored)',
      'anchored modifier can only be used with: changes, delta, increase, rate, resets - not with avg_over_time',
    ],
    ['changes(m[5m] smoothed)', 'smoothed modifier can only be used with: delta, increase, rate - not with changes'],
  ])('%s', async (query, message) => {
    await expect(instantQuery(query, storage, 120_000)).rejects.toMatchObject({ code: 'execution', message });
  });
});
