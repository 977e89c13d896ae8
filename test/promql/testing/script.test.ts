import { describe, expect, test } from 'vitest';
import { Engine, type QueryControl } from '../../../promql/engine.ts';
import { parseExpr } from '../../../promql/parse/parse.ts';
import { printExpr } from '../../../promql/parse/print.ts';
import { pinToTime } from '../../../promql/testing/at-rewrite.ts';
import { almostEqual } from '../../../promql/testing/compare.ts';
import { runScript, SCRIPT_ENGINE_OPTIONS } from '../../../promql/testing/runner.ts';
import { parseScript } from '../../../promql/testing/script.ts';

const control: QueryControl = { isCanceled: () => false, now: () => 0, yieldTurn: () => Promise.resolve() };

async function messages(script: string): Promise<string[]> {
  const outcomes = await runScript(script, new Engine(SCRIPT_ENGINE_OPTIONS), control);
  return outcomes.map(({ line, ok, message }) => (ok ? `${line} ok` : `${line} ${message}`));
}

const LOAD = 'load 1m\n  up{job="a"} 0+1x10\n  up{job="b"} 5x3 stale _x2\n\n';

test('a script is read command by command, with the lines they start on', () => {
  const script = `# comment\n${LOAD}eval instant at 5m up\n  {job="a"} 5\n\nclear\neval range from 0 to 5m step 1m up\n`;
  expect(parseScript(script).map(({ type, line }) => [type, line])).toEqual([
    ['load', 2],
    ['eval', 6],
    ['clear', 9],
    ['eval', 10],
  ]);
});

test('a case passes when labels, values and times are as expected', async () => {
  const script = `${LOAD}eval instant at 2m up
  up{job="a"} 2
  up{job="b"} 5

eval range from 0 to 5m step 1m up
  up{job="a"} 0 1 2 3 4 5
  up{job="b"} 5 5 5 5 _ _

eval instant at 2m 1 + 1
  2

eval instant at 2m "x\\ty"
  expect string "x\\ty"

eval instant at 2m up{job="a"}[2m]
  expect range vector from 1m to 2m step 1m
  up{job="a"} 1 2

eval instant at 1m sum by (x) (up)
  expect no_warn
  expect no_info
  {} 6

eval instant at 1m up{job="none"}

eval instant at 1m up + on() up
  expect fail regex:^found duplicate series .*many-to-many

eval instant at 1m rate(up[1m])[5m:
  expect fail msg: 1:17: parse error: unclosed left bracket
`;
  const outcomes = await messages(script);
  expect(outcomes.filter((text) => !text.endsWith(' ok'))).toEqual([]);
  expect(outcomes.length).toBe(9);
});

describe('a case fails', () => {
  test.each([
    ['another value', 'up{job="a"}\n  up{job="a"} 3', 'expected 3 for {__name__="up", job="a"} but got 2'],
    ['another label', 'up{job="a"}\n  up{job="c"} 2', 'unexpected metric {__name__="up", job="a"} in result'],
    ['a missing series', 'up{job="a"}\n  up{job="a"} 2\n  up{job="z"} 1', 'with 1 not found'],
    ['an unexpected one', 'up', 'unexpected metric'],
    ['no error', 'up\n  expect fail', 'expected error but got none'],
    ['another error', 'up + on() up\n  expect fail msg: no', 'expected error matching "no", but got: found duplicate'],
    ['an unexpected error', 'up + on() up\n  {} 1', 'found duplicate series'],
    ['a scalar', '1\n  {} 1', 'expected vector or matrix result'],
    ['a vector', 'vector(1)\n  1', 'expected scalar result'],
    ['another order', 'sort(up)\n  expect ordered\n  up{job="b"} 5\n  up{job="a"} 2', 'at position 2 but was at 1'],
    ['a missing annotation', 'up{job="a"}\n  expect warn\n  up{job="a"} 2', 'expected warn annotations but none'],
    [
      'another annotation',
      'rate(up{job="a"}[2m])\n  expect info msg: x\n  {job="a"} 0.01666666',
      'expected info annotation matching "x"',
    ],
    [
      'an unwanted annotation',
      'rate(up{job="a"}[2m])\n  expect no_info\n  {job="a"} 0.01666666',
      'unexpected info annotations',
    ],
    ['several values at once', 'up\n  up{job="a"} 1 2', 'expecting multiple values in instant evaluation'],
  ])('%s', async (_name, rest, message) => {
    const [outcome] = await messages(`${LOAD}eval instant at 2m ${rest}\n`);
    expect(outcome).toContain(message);
  });

  test('in range mode, points count', async () => {
    const range = `${LOAD}eval range from 0 to 2m step 1m up{job="a"}\n`;
    expect((await messages(`${range}  up{job="a"} 0 1\n`))[0]).toContain('expected 2 points');
    expect((await messages(`${range}  up{job="a"} 0 1 2 3\n`))[0]).toContain('cannot return this many points');
    expect((await messages(`${range}  up{job="a"} 0 _ 2\n`))[0]).toContain('expected 2 at 120000');
  });
});

test('what is not understood fails alone', async () => {
  const script = `load 1m
  up 1 2
  up{ 1

fly away

eval sometime up

load often

eval instant at 1m up
  up 2
`;
  expect(await messages(script)).toEqual([
    "3 1:5: parse error: unexpected character inside braces: '1'",
    '5 invalid command "fly away"',
    expect.stringContaining('7 invalid evaluation command'),
    '9 not a valid duration string: "often"',
    '11 ok',
  ]);
});

test('of two lines for one series in one load the last counts', async () => {
  expect(await messages('load 1m\n  up 1 2\n  up 3 4\n\neval instant at 1m up\n  up 4\n')).toEqual(['5 ok']);
});

test('a second load may not go back in time', async () => {
  expect(await messages('load 1m\n  up 1 2\n\nload 1m\n  up 1\n')).toEqual([expect.stringContaining('4 out of order')]);
});

test('older forms of expectations work', async () => {
  const script = `${LOAD}eval_fail instant at 1m up + on() up
  expected_fail_regexp found duplicate

eval_ordered instant at 1m sort(up)
  up{job="a"} 1
  up{job="b"} 5
`;
  expect(await messages(script)).toEqual(['5 ok', '8 ok']);
});

test('pinning puts @ on what has no time, but not inside subqueries', () => {
  const pinned = (text: string): string | undefined => {
    const expr = pinToTime(parseExpr(text, SCRIPT_ENGINE_OPTIONS.parser), 5000);
    return expr && printExpr(expr);
  };
  expect(pinned('rate(a[1m]) + b @ 3 offset 1m')).toBe('rate(a[1m] @ 5.000) + b @ 3.000 offset 1m');
  expect(pinned('max_over_time((a + time())[5m:]) > -sum(b @ end())')).toBe(
    'max_over_time((a + time())[5m:] @ 5.000) > -sum(b @ 5.000)',
  );
  expect(pinned('a + time()')).toBeUndefined();
});

test('values are equal within a relative error', () => {
  expect(almostEqual(1, 1 + 1e-7)).toBe(true);
  expect(almostEqual(1, 1 + 1e-5)).toBe(false);
  expect(almostEqual(0, 1e-300)).toBe(false);
  expect(almostEqual(NaN, NaN)).toBe(true);
  expect(almostEqual(NaN, 1)).toBe(false);
  expect(almostEqual(Infinity, -Infinity)).toBe(false);
  expect(almostEqual(0, -0)).toBe(true);
});
