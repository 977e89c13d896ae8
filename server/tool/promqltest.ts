import { readFile } from 'node:fs/promises';
import { Engine, type QueryControl } from '../../promql/engine.ts';
import { runScript, SCRIPT_ENGINE_OPTIONS, type CaseOutcome } from '../../promql/testing/runner.ts';
import { errorText } from '../../util/errors.ts';

const USAGE = `usage: narthex tool promqltest [--json] FILE...

Runs PromQL test scripts (load, clear, eval) against the built-in engine.

  --json   one line a case: {"file","line","ok","message"}
`;

/** Exit codes: 0 all cases passed, 1 some failed, 2 wrong usage or a file that cannot be read. */
export async function promqltest(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg.startsWith('-') && !['--json', '--help', '-h'].includes(arg));
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const files = args.filter((arg) => !arg.startsWith('-'));
  if (unknown !== undefined || files.length === 0) {
    process.stderr.write(`${unknown === undefined ? 'no script given' : `unknown flag ${unknown}`}\n${USAGE}`);
    return 2;
  }
  return runFiles(files, args.includes('--json') ? printJson : printFailure);
}

type PrintCase = (file: string, outcome: CaseOutcome) => void;

async function runFiles(files: readonly string[], print: PrintCase): Promise<number> {
  const engine = new Engine(SCRIPT_ENGINE_OPTIONS);
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      process.stderr.write(`cannot read ${file}: ${errorText(error)}\n`);
      return 2;
    }
    for (const outcome of await runScript(text, engine, CONTROL)) {
      if (outcome.ok) passed++;
      else failed++;
      print(file, outcome);
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/** Nobody cancels a script, and nothing else runs beside it. */
const CONTROL: QueryControl = {
  isCanceled: () => false,
  now: () => performance.now(),
  yieldTurn: () => Promise.resolve(),
};

function printFailure(file: string, { line, query, ok, message }: CaseOutcome): void {
  if (!ok) process.stdout.write(`${file}:${line}: ${query}\n    ${message}\n`);
}

function printJson(file: string, { line, ok, message }: CaseOutcome): void {
  process.stdout.write(`${JSON.stringify({ file, line, ok, message })}\n`);
}
