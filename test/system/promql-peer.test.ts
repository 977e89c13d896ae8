import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findPeer, startPeer } from '../../bench/peers/process.ts';
import { errorText } from '../../util/errors.ts';
import { parseExpr } from '../../promql/parse/parse.ts';
import { prettyExpr } from '../../promql/parse/pretty.ts';
import { anyText } from '../support/random-promql.ts';

// Compares the parser with a real Prometheus 3.5, which knows less of the language than 3.14: what changed since is left
// out, or put in the same words. What 3.14 says is in the reference's cases (test/conformance/promql).

const OPTIONS = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: false,
  fillModifiers: false,
};
const RUNS = process.env['NARTHEX_LONG'] === '1' ? 40_000 : 3000;
const AT_ONCE = 20;

/** Words and forms that are newer, print differently since, or overflow in Prometheus (an offset of NaN). */
const NEWER =
  /fill|anchored|smoothed|step|range|start|end|m(?:in|ax)_of|<\/|>\/|[[:]\s*\(|offset[\s-]*\(|group_|nan|\.test/i;
/** Faults in brackets that are told otherwise since, and a crash of 3.5. */
const TOLD_OTHERWISE = /unexpected colon|"\w" in subquery selector|in duration expression: ','|^unexpected error$/;

function inSameWords(answer: string): string {
  return (
    answer
      .replace('number, duration, step(), or range()', 'number or duration')
      .replace('number, duration, step(), range(), or "]"', 'number or duration or "]"')
      .replace('subquery or range selector', 'subquery selector')
      .replace(/"<Item \d+>" <op:@>/, '<op:@>')
      // Names that need quotes are printed without them by 3.5 in grouping lists.
      .replace(/"([\w.:]+)"(?=[,)])/g, '$1')
      // We leave the sign out where it would bind differently when read back.
      .replaceAll('+Inf', 'Inf')
  );
}

function ours(text: string): string {
  try {
    return prettyExpr(parseExpr(text, OPTIONS));
  } catch (error) {
    return errorText(error);
  }
}

async function theirs(url: string, text: string): Promise<string> {
  const body = new URLSearchParams({ query: text });
  const response = await fetch(`${url}/api/v1/format_query`, { method: 'POST', body });
  const answer = (await response.json()) as { data?: string; error?: string };
  return answer.data ?? (answer.error ?? '').replace('invalid parameter "query": ', '');
}

test.skipIf(findPeer('prometheus') === undefined)('formats and refuses random texts as Prometheus does', async () => {
  const features = '--enable-feature=promql-experimental-functions,promql-duration-expr';
  const peer = await startPeer('prometheus', { extraArgs: [features] });
  try {
    const texts = [...new Set(fc.sample(anyText, { numRuns: RUNS, seed: 11 }))].filter((text) => !NEWER.test(text));
    const differences: { text: string; want: string; got: string }[] = [];
    for (let i = 0; i < texts.length; i += AT_ONCE) {
      const some = texts.slice(i, i + AT_ONCE).map(async (text) => {
        const want = inSameWords(await theirs(peer.url, text));
        const got = inSameWords(ours(text));
        if (want !== got && !TOLD_OTHERWISE.test(want)) differences.push({ text, want, got });
      });
      await Promise.all(some);
    }
    expect(texts.length).toBeGreaterThan(RUNS / 4);
    expect(differences).toEqual([]);
  } finally {
    await peer.stop();
  }
});
