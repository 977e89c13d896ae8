// `narthex [server]`, `narthex exporter`, `narthex tool`: picks the part and ends with its exit code.
import { errorText } from '../util/errors.ts';
import { FlagError, parseFlags, usageText } from './flags.ts';
import { versionText } from './version.ts';

const USAGE_ERROR = 2;

async function main(args: readonly string[]): Promise<number> {
  const [command = '', ...rest] = args;
  if (command === 'exporter') return (await import('../exporters/http.ts')).exporterMain(rest);
  if (command === 'tool') return (await import('./tool/main.ts')).toolMain(rest);
  return serverMain(command === 'server' ? rest : args);
}

async function serverMain(args: readonly string[]): Promise<number> {
  try {
    const parsed = parseFlags(args);
    if (parsed.type === 'help') {
      process.stdout.write(usageText());
      return 0;
    }
    if (parsed.type === 'version') {
      process.stdout.write(versionText());
      return 0;
    }
    // Loaded only now: a wrong flag is told at once.
    return await (await import('./server.ts')).runServer(parsed.flags);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`Error parsing command line arguments: ${errorText(error)}\n${usageText()}`);
    return USAGE_ERROR;
  }
}

process.exit(await main(process.argv.slice(2)));
