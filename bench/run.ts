// `npm run bench [NAME...]`: runs bench/*.bench.ts, each in a process of its own so that heaps and JIT state do not mix.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchModule } from './harness.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const SUFFIX = '.bench.ts';

async function runOne(name: string): Promise<void> {
  const module = (await import(`./${name}${SUFFIX}`)) as BenchModule;
  for (const { name: what, value, unit, note } of await module.run()) {
    const figure = value >= 100 ? value.toFixed(0) : value.toPrecision(3);
    console.log(`${what.padEnd(58)} ${figure.padStart(9)} ${unit.padEnd(12)} ${note ?? ''}`.trimEnd());
  }
}

function runAll(wanted: readonly string[]): number {
  const names = readdirSync(here)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length));
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`no such benchmark: ${unknown.join(', ')}; there are: ${names.join(', ')}`);
    return 2;
  }
  let failed = 0;
  for (const name of wanted.length > 0 ? wanted : names) {
    console.log(`\n${name}`);
    const args = ['--expose-gc', fileURLToPath(import.meta.url), '--one', name];
    if (spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

const args = process.argv.slice(2);
if (args[0] === '--one' && args[1] !== undefined) await runOne(args[1]);
else process.exitCode = runAll(args);
