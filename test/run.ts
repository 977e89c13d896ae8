// `npm test`: every check and every suite, ended by one line 'N passed, N failed'. `--long` runs the long forms too.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const long = process.argv.includes('--long');
const reportFolder = join(root, '.cache', 'test');

interface Tally {
  passed: number;
  failed: number;
  /** Names of tests that did not run; each name says why. */
  readonly skipped: string[];
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function runCheck(tally: Tally, name: string, args: readonly string[]): Promise<void> {
  const start = Date.now();
  const ok = (await run(args)) === 0;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (ok) tally.passed++;
  else tally.failed++;
}

async function runVitest(tally: Tally): Promise<void> {
  const file = join(reportFolder, 'vitest.json');
  rmSync(file, { force: true });
  mkdirSync(reportFolder, { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const env: Record<string, string> = long ? { NARTHEX_LONG: '1' } : {};
  const code = await run(['node_modules/vitest/vitest.mjs', 'run', '--silent=passed-only', ...reporters], env);
  if (!existsSync(file)) {
    console.log('FAIL vitest wrote no report');
    tally.failed++;
    return;
  }
  const before = tally.failed;
  readReport(tally, JSON.parse(readFileSync(file, 'utf8')) as VitestReport);
  // An unhandled error outside any test fails the run without failing a test.
  if (code !== 0 && tally.failed === before) tally.failed++;
}

function readReport(tally: Tally, report: VitestReport): void {
  for (const suite of report.testResults) {
    const name = suite.name.slice(root.length);
    if (suite.status === 'failed' && suite.assertionResults.every((test) => test.status !== 'failed')) tally.failed++;
    for (const test of suite.assertionResults) {
      if (test.status === 'passed') tally.passed++;
      else if (test.status === 'failed') tally.failed++;
      else tally.skipped.push(`${name}: ${test.fullName}`);
    }
  }
}

/** With TESTBED=1 the testbed beside the project may install and start a Docker engine; otherwise one is only used. */
async function startTestbed(): Promise<void> {
  const script = join(root, '../shared/testbed/docker-up');
  if (process.env['TESTBED'] !== '1' || !existsSync(script)) return;
  const child = spawn(script, { stdio: 'inherit' });
  await new Promise((resolve) => child.on('close', resolve));
}

const tally: Tally = { passed: 0, failed: 0, skipped: [] };
await startTestbed();
const tsc = 'node_modules/typescript/bin/tsc';
await runCheck(tally, 'types', [tsc, '-p', '.']);
await runCheck(tally, 'types of the console', [tsc, '-p', 'ui']);
await runCheck(tally, 'lint', ['node_modules/oxlint/bin/oxlint', '--type-aware']);
await runCheck(tally, 'format', ['node_modules/oxfmt/bin/oxfmt', '--check']);
await runCheck(tally, 'dead code', ['node_modules/knip/bin/knip.js', '--no-progress']);
await runVitest(tally);

if (tally.skipped.length > 0) console.log(`\n${tally.skipped.length} skipped (the reason is in the name):`);
for (const name of tally.skipped) console.log(`  ${name}`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
