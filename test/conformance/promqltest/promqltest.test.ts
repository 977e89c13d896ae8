import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { Engine, type QueryControl } from '../../../promql/engine.ts';
import { runScript, SCRIPT_ENGINE_OPTIONS, type CaseOutcome } from '../../../promql/testing/runner.ts';

// Every script must pass, but for the lines listed in expected-failures.json: that list may only shrink, and a listed
// line that passes fails the run. NARTHEX_SHRINK=1 takes such lines off the list (then format the file).

const reference = new URL('../../../../shared/conformance/promql/testdata/', import.meta.url);
const own = new URL('scripts/', import.meta.url);
const control: QueryControl = {
  isCanceled: () => false,
  now: () => performance.now(),
  yieldTurn: () => Promise.resolve(),
};

interface ExpectedFailures {
  readonly reason: string;
  /** Script -> the lines on which failing cases start. */
  readonly lines: Readonly<Record<string, readonly number[]>>;
}

const listFile = new URL('expected-failures.json', import.meta.url);
const expectedFailures = JSON.parse(readFileSync(listFile, 'utf8')) as ExpectedFailures;
const isShrinking = process.env['NARTHEX_SHRINK'] === '1';
const stillFailing = new Map(Object.entries(expectedFailures.lines));

afterAll(() => {
  if (!isShrinking) return;
  const lines = Object.fromEntries([...stillFailing].filter(([, listed]) => listed.length > 0));
  writeFileSync(listFile, JSON.stringify({ ...expectedFailures, lines }));
});

function scripts(folder: URL): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.test')) : [];
}

async function run(folder: URL, name: string): Promise<{ outcomes: CaseOutcome[]; evalLines: number[] }> {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const outcomes = await runScript(text, new Engine(SCRIPT_ENGINE_OPTIONS), control);
  const lines = text.split('\n').map((line, i) => (/^\s*eval/i.test(line) ? i + 1 : 0));
  return { outcomes, evalLines: lines.filter((line) => line > 0) };
}

const describeFailure = ({ line, query, message }: CaseOutcome): string => `${line}: ${query}\n    ${message}`;

describe.skipIf(!existsSync(reference))('scripts of the reference', () => {
  test.each(scripts(reference))('%s', async (name) => {
    const { outcomes, evalLines } = await run(reference, name);
    const listed = new Set(expectedFailures.lines[name]);
    const unexpected = outcomes.filter(({ ok, line }) => !ok && !listed.has(line));
    expect(unexpected.map(describeFailure)).toEqual([]);
    const failed = new Set(outcomes.filter(({ ok }) => !ok).map(({ line }) => line));
    const passing = [...listed].filter((line) => !failed.has(line));
    if (isShrinking && listed.size > 0)
      stillFailing.set(
        name,
        [...listed].filter((line) => failed.has(line)),
      );
    else expect(passing, 'listed, but they pass: take them off with NARTHEX_SHRINK=1').toEqual([]);
    const seen = new Set(outcomes.map(({ line }) => line));
    expect(
      evalLines.filter((line) => !seen.has(line)),
      'cases that were not run',
    ).toEqual([]);
  });
});

describe('our own scripts', () => {
  test.each(scripts(own))('%s', async (name) => {
    const { outcomes, evalLines } = await run(own, name);
    expect(outcomes.filter(({ ok }) => !ok).map(describeFailure)).toEqual([]);
    expect(outcomes.length).toBe(evalLines.length);
  });
});
