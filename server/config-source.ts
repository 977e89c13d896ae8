import { access, readFile } from 'node:fs/promises';
import type { ConfigSource } from './config/reload.ts';
import { defaultConfig } from './config/default.ts';
import type { Flags } from './flags.ts';
import { CodedError, errorText } from '../util/errors.ts';

const DEFAULT_FILE = 'prometheus.yml';

/** What the built-in configuration has to know, once the server listens. */
export interface BuiltInFacts {
  readonly listenAddress: string;
  readonly hasContainers: boolean;
}

export interface ChosenSource extends ConfigSource {
  readonly isBuiltIn: boolean;
  /** For people: which configuration is in use. */
  readonly description: string;
}

/** `--config.file`; without it ./prometheus.yml; without that the built-in configuration. */
export async function chooseConfig(flags: Flags, facts: () => Promise<BuiltInFacts>): Promise<ChosenSource> {
  const fileName = flags.text('config.file');
  const isFile = flags.isSet('config.file') || (await exists(DEFAULT_FILE));
  if (isFile) return { fileName, isBuiltIn: false, description: fileName, read: () => readConfigFile(fileName) };
  return {
    fileName: 'built-in',
    isBuiltIn: true,
    description: `built-in (no --config.file and no ./${DEFAULT_FILE})`,
    read: async () => defaultConfig(await facts()),
  };
}

async function readConfigFile(fileName: string): Promise<string> {
  try {
    return await readFile(fileName, 'utf8');
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'no such file or directory'
        : errorText(error);
    throw new CodedError('bad_data', `open ${fileName}: ${reason}`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
