import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import type { QueryOutcome } from '../../../promql/engine.ts';
import type { QueryResult } from '../../../promql/value.ts';
import { errorEnvelope, JsonWriter, labelsJson, writeOutcome } from '../../../server/api/json.ts';
import { CodedError } from '../../../util/errors.ts';
import { histogram } from '../../support/histograms.ts';

const timings = { preparationMs: 1, evaluationMs: 2, sortMs: 3, totalMs: 6 };
const stats = { totalQueryableSamples: 7, peakSamples: 5, timings };

function outcome(result: QueryResult, warnings: string[] = []): QueryOutcome {
  return { result, warnings, infos: [], stats };
}

async function textOf(of: QueryOutcome, maxBytes = 1e6): Promise<string> {
  const out = new JsonWriter(maxBytes);
  await writeOutcome(out, of, undefined, () => Promise.resolve());
  return Buffer.from(out.take()).toString();
}

describe('query answers', () => {
  test('scalar and string', async () => {
    expect(await textOf(outcome({ type: 'scalar', timeMs: 1700006000123, value: 1e-7 }))).toBe(
      '{"status":"success","data":{"resultType":"scalar","result":[1700006000.123,"1e-07"]}}',
    );
    expect(await textOf(outcome({ type: 'string', timeMs: 1000, value: 'a"ü' }))).toBe(
      '{"status":"success","data":{"resultType":"string","result":[1,"a\\"ü"]}}',
    );
  });

  test('vector', async () => {
    const series = [1, NaN].map((value, i) => ({
      labels: Labels.fromObject({ __name__: 'm', i: String(i) }),
      times: Float64Array.of(2500),
      values: Float64Array.of(value),
    }));
    expect(await textOf(outcome({ type: 'vector', series }, ['careful']))).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[' +
        '{"metric":{"__name__":"m","i":"0"},"value":[2.5,"1"]},' +
        '{"metric":{"__name__":"m","i":"1"},"value":[2.5,"NaN"]}]},"warnings":["careful"]}',
    );
  });

  test('a vector with a histogram', async () => {
    const one = histogram('schema:0 count:6 sum:-2.5 z_bucket:1 z_bucket_w:0.5 buckets:[0 2 0 2] n_buckets:[1]');
    const empty = histogram('schema:-53 custom_values:[1]');
    const series = [one, empty].map((each, i) => ({
      labels: Labels.fromObject({ i: String(i) }),
      times: Float64Array.of(2500),
      values: Float64Array.of(NaN),
      histograms: [each],
    }));
    expect(await textOf(outcome({ type: 'vector', series }))).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[' +
        '{"metric":{"i":"0"},"histogram":[2.5,{"count":"6","sum":"-2.5","buckets":' +
        '[[1,"-1","-0.5","1"],[3,"-0.5","0.5","1"],[0,"1","2","2"],[0,"4","8","2"]]}]},' +
        '{"metric":{"i":"1"},"histogram":[2.5,{"count":"0","sum":"0"}]}]}}',
    );
  });

  test('a matrix with floats and histograms has two lists', async () => {
    const mixed = {
      labels: Labels.fromObject({}),
      times: Float64Array.of(1000, 2000),
      values: Float64Array.of(7, NaN),
      histograms: [undefined, histogram('schema:-53 count:1 custom_values:[1] buckets:[1]')],
    };
    const pure = { ...mixed, times: Float64Array.of(3000), values: Float64Array.of(NaN), histograms: [histogram('')] };
    expect(await textOf(outcome({ type: 'matrix', axis: undefined, series: [mixed, pure] }))).toBe(
      '{"status":"success","data":{"resultType":"matrix","result":[' +
        '{"metric":{},"values":[[1,"7"]],"histograms":[[2,{"count":"1","sum":"0","buckets":[[3,"-Inf","1","1"]]}]]},' +
        '{"metric":{},"histograms":[[3,{"count":"0","sum":"0"}]]}]}}',
    );
  });

  test('a matrix on the axis of its steps reads back as what it was', async () => {
    const points = fc.array(fc.tuple(fc.boolean(), fc.double()), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(points, fc.string({ unit: 'grapheme', maxLength: 8 }), async (steps, label) => {
        const axis = { startMs: 1_700_000_000_500, stepMs: 250, count: steps.length };
        const present = steps.flatMap(([isPresent, value], i) => (isPresent ? [[axis.startMs + i * 250, value]] : []));
        const one = {
          labels: Labels.fromObject({ label: label }),
          times: Float64Array.from(present, ([time]) => time!),
          values: Float64Array.from(present, ([, value]) => value!),
        };
        const body = JSON.parse(await textOf(outcome({ type: 'matrix', axis, series: [one, one] }))) as {
          data: { result: { metric: Record<string, string>; values: [number, string][] }[] };
        };
        expect(body.data.result).toHaveLength(2);
        expect(body.data.result[1]!.metric).toEqual(one.labels.toObject());
        const read = body.data.result[1]!.values.map(([time, value]) => [
          time * 1000,
          Number(value.replace('Inf', 'Infinity')),
        ]);
        expect(read.map(([time]) => Math.round(time!))).toEqual([...one.times]);
        expect(read.every(([, value], i) => Object.is(value, one.values[i]))).toBe(true);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  test('that are too long are refused', async () => {
    const series = Array.from({ length: 2000 }, (_, i) => ({
      labels: Labels.fromObject({ i: String(i) }),
      times: Float64Array.of(0),
      values: Float64Array.of(0),
    }));
    await expect(textOf(outcome({ type: 'vector', series }), 10_000)).rejects.toThrow('--query.max-response-size');
  });
});

test('errors tell what is ours to tell, and nothing of a bug', () => {
  const shown = (error: unknown): unknown => {
    const { status, bytes } = errorEnvelope(error);
    return [status, JSON.parse(Buffer.from(bytes).toString())];
  };
  expect(shown(new CodedError('execution', 'no'))).toEqual([
    422,
    { status: 'error', errorType: 'execution', error: 'no' },
  ]);
  expect(shown(new CodedError('timeout', 'late'))).toEqual([
    503,
    { status: 'error', errorType: 'timeout', error: 'late' },
  ]);
  expect(JSON.stringify(shown(new TypeError('secret of /home/x')))).not.toContain('secret');
  expect(labelsJson(Labels.fromObject({ 'a"b': '<&>' }))).toBe('{"a\\"b":"<&>"}');
});
