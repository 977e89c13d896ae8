import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { promqltest } from '../../../server/tool/promqltest.ts';

const GOOD = 'load 1m\n  up 1 2 3\n\neval instant at 2m up\n  up 3\n';
const BAD = 'load 1m\n  up 1 2 3\n\neval instant at 2m up\n  up 4\n\neval instant at 1m up\n  up 2\n';

/** Runs the tool on scripts of these texts, named 0.test, 1.test, ... */
async function run(
  texts: readonly string[],
  flags: readonly string[] = [],
): Promise<{ code: number; out: string; err: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'promqltest-'));
  let out = '';
  let err = '';
  try {
    const files = texts.map((text, i) => {
      const file = join(folder, `${i}.test`);
      writeFileSync(file, text);
      return file;
    });
    const code = await promqltest([...flags, ...files], {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    });
    return { code, out: out.replaceAll(`${folder}/`, ''), err: err.replaceAll(`${folder}/`, '') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('failing cases are printed, and the last line counts', async () => {
  const { code, out } = await run([GOOD, BAD]);
  expect(code).toBe(1);
  expect(out).toBe('1.test:4: up\n    up at 120000: expected 4 for {__name__="up"} but got 3\n2 passed, 1 failed\n');
});

test('all passing is exit code 0', async () => {
  expect(await run([GOOD])).toEqual({ code: 0, out: '1 passed, 0 failed\n', err: '' });
});

test('--json writes one line a case', async () => {
  const { out } = await run([BAD], ['--json']);
  const lines = out.split('\n');
  expect(JSON.parse(lines[0]!)).toMatchObject({ file: '0.test', line: 4, ok: false });
  expect(JSON.parse(lines[1]!)).toEqual({ file: '0.test', line: 7, ok: true, message: '' });
  expect(lines[2]).toBe('1 passed, 1 failed');
});

test('wrong usage is exit code 2 and says what is right', async () => {
  for (const args of [[], ['--fast']]) {
    const { code, err } = await run([], args);
    expect(code).toBe(2);
    expect(err).toContain('usage: narthex tool promqltest');
  }
  expect((await run([], ['--help'])).code).toBe(0);
});

test('a file that cannot be read is exit code 2', async () => {
  let err = '';
  const output = { stdout: { write: () => true }, stderr: { write: (text: string) => (err += text) } };
  expect(await promqltest(['/nowhere.test'], output)).toBe(2);
  expect(err).toContain('cannot read /nowhere.test');
});
