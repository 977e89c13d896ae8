import { CodedError } from '../util/errors.ts';
import { HOST_COLLECTORS } from './main.ts';
import { DEFAULT_CONTAINER_LABELS } from './docker/containers.ts';
import type { ExporterOptions } from './options.ts';

export type ExporterFlags =
  | { readonly type: 'help' }
  | { readonly type: 'version' }
  | { readonly type: 'serve'; readonly listenAddress: string; readonly options: ExporterOptions };

/** Flags with a value: name, default as shown, help. */
const VALUES: Readonly<Record<string, readonly [string, string]>> = {
  'web.listen-address': ['127.0.0.1:9100', 'Address to serve metrics on.'],
  'path.procfs': ['/proc', 'Mount point of procfs.'],
  'path.sysfs': ['/sys', 'Mount point of sysfs.'],
  'path.rootfs': ['/', "Where the host's root directory is seen."],
  'path.cgroup': ['<sysfs>/fs/cgroup', 'Where the cgroup file systems are mounted.'],
  'docker.socket': ['/var/run/docker.sock', "Docker's socket; empty to read cgroups only."],
  'docker.container-labels': [
    DEFAULT_CONTAINER_LABELS.join(','),
    'Container labels served as container_label_*, separated by commas; * for all.',
  ],
};

/** Throws a CodedError (bad_data) with the flag parser's own words for a flag that is wrong. */
export function parseExporterFlags(args: readonly string[]): ExporterFlags {
  const values = new Map<string, string>();
  const collectors: Record<string, boolean> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '-h' || arg === '--help') return { type: 'help' };
    if (arg === '--version') return { type: 'version' };
    if (!arg.startsWith('--')) throw wrong(arg.startsWith('-') ? `unknown short flag '${arg}'` : `unexpected ${arg}`);
    const equals = arg.indexOf('=');
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    if (Object.hasOwn(VALUES, name)) {
      const value = equals < 0 ? args[++i] : arg.slice(equals + 1);
      if (value === undefined) throw wrong(`expected argument for flag '--${name}'`);
      values.set(name, value);
      continue;
    }
    const match = /^(no-)?collector\.(.+)$/.exec(name);
    if (!match || equals >= 0 || !Object.hasOwn(HOST_COLLECTORS, match[2]!)) {
      throw wrong(`unknown long flag '--${name}'`);
    }
    collectors[match[2]!] = match[1] === undefined;
  }
  const options: ExporterOptions = {
    procfs: values.get('path.procfs'),
    sysfs: values.get('path.sysfs'),
    rootfs: values.get('path.rootfs'),
    cgroup: values.get('path.cgroup'),
    dockerSocket: values.get('docker.socket')?.replace(/^unix:\/\//, ''),
    containerLabels: values
      .get('docker.container-labels')
      ?.split(',')
      .filter((label) => label !== ''),
    collectors,
  };
  return { type: 'serve', listenAddress: values.get('web.listen-address') ?? '127.0.0.1:9100', options };
}

function wrong(message: string): CodedError {
  return new CodedError('bad_data', `${message}, try --help`);
}

export function usage(): string {
  const lines = Object.entries(VALUES).map(([name, [shown, help]]) => `  --${name}="${shown}"\n        ${help}\n`);
  const names = Object.keys(HOST_COLLECTORS).join(', ');
  return `usage: narthex exporter [<flags>]

Serves metrics of this machine and its containers, under the names of node_exporter and cAdvisor.

Flags:
${lines.join('')}  --[no-]collector.<name>
        Switches a collector of the machine; all are on: ${names}.
  --version
        Shows the version.
  --help
        Shows this help.
`;
}
