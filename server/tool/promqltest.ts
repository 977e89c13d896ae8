import { readFile } from 'node:fs/promises';
import { Engine, type QueryControl } from '../../promql/engine.ts';
import { runScript, SCRIPT_ENGINE_OPTIONS, type CaseOutcome } from '../../promql/testing/runner.ts';
import { errorText } from '../../util/errors.ts';

const USAGE = `usage: narthex tool promqltest [--json] FILE...

Runs PromQL test scripts (load, clear, eval) against the built-in engine.

  --json   one line a case: {"file","line","ok","message"}
`;

/** Where a tool writes: the process' own streams, or a test's. */
export interface ToolOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Exit codes: 0 all cases passed, 1 some failed, 2 wrong usage or a file that cannot be read. */
export async function promqltest(args: readonly string[], output: ToolOutput = process): Promise<number> {
  const unknown = args.find((arg) => arg.startsWith('-') && !['--json', '--help', '-h'].includes(arg));
  if (args.includes('--help') || args.includes('-h')) {
    output.stdout.write(USAGE);
    return 0;
  }
  const files = args.filter((arg) => !arg.startsWith('-'));
  if (unknown !== undefined || files.length === 0) {
    output.stderr.write(`${unknown === undefined ? 'no script given' : `unknown flag ${unknown}`}\n${USAGE}`);
    return 2;
  }
  return runFiles(files, args.includes('--json') ? formatJson : formatFailure, output);
}

type FormatCase = (file: string, outcome: CaseOutcome) => string;

async function runFiles(files: readonly string[], format: FormatCase, output: ToolOutput): Promise<number> {
  const engine = new Engine(SCRIPT_ENGINE_OPTIONS);
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      output.stderr.write(`cannot read ${file}: ${errorText(error)}\n`);
      return 2;
    }
    for (const outcome of await runScript(text, engine, CONTROL)) {
      if (outcome.ok) passed++;
      else failed++;
      output.stdout.write(format(file, outcome));
    }
  }
  output.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

/** Nobody cancels a script, and nothing else runs beside it. */
const CONTROL: QueryControl = {
  isCanceled: () => false,
  now: () => performance.now(),
  yieldTurn: () => Promise.resolve(),
};

function formatFailure(file: string, { line, query, ok, message }: CaseOutcome): string {
  return ok ? '' : `${file}:${line}: ${query}\n    ${message}\n`;
}

function formatJson(file: string, { line, ok, message }: CaseOutcome): string {
  return `${JSON.stringify({ file, line, ok, message })}\n`;
}
