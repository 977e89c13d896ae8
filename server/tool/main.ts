import { versionText } from '../version.ts';
import { promqltest } from './promqltest.ts';

interface Command {
  readonly help: string;
  run(args: readonly string[]): Promise<number>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['promqltest', { help: 'Runs PromQL test scripts against the built-in engine.', run: (args) => promqltest(args) }],
]);

function usage(): string {
  const lines = [...COMMANDS].map(([name, { help }]) => `  ${name.padEnd(12)} ${help}\n`);
  return `usage: narthex tool <command> [<flags>]

Commands (each has --help):
${lines.join('')}`;
}

/** `narthex tool <command>`; resolves with the exit code. */
export async function toolMain(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') {
    process.stdout.write(usage());
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(versionText());
    return 0;
  }
  const command = COMMANDS.get(name ?? '');
  if (command) return command.run(rest);
  const fault = name === undefined ? 'command not specified' : `expected command but got "${name}"`;
  process.stderr.write(`narthex tool: error: ${fault}, try --help\n${usage()}`);
  return 1;
}
