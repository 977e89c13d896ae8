import { formatDuration, parseDuration, type DurationMs } from '../model/time.ts';
import { compileAnchored } from '../util/regexp.ts';
import { CodedError, errorText } from '../util/errors.ts';
import { FLAGS, type FlagSpec } from './flag-table.ts';

const BY_NAME: ReadonlyMap<string, FlagSpec> = new Map(FLAGS.map((spec) => [spec.name, spec]));

/** A wrong flag. `message` is what is wrong, as Prometheus' flag parser words it. */
export class FlagError extends CodedError {
  constructor(message: string) {
    super('bad_data', message);
  }
}

/** The flags as given, checked; a flag that was not given has its default. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  isSet(name: string): boolean {
    return this.#values.has(specOf(name).name);
  }

  list(name: string): readonly string[] {
    const spec = specOf(name);
    const values = this.#values.get(name) ?? (spec.default === '' ? [] : [spec.default]);
    if (!spec.repeatable) return values;
    return values.flatMap((value) => value.split(',').map((part) => part.trim())).filter((value) => value !== '');
  }

  text(name: string): string {
    return this.#values.get(specOf(name).name)?.at(-1) ?? specOf(name).default;
  }

  bool(name: string): boolean {
    return this.text(name) === 'true';
  }

  number(name: string): number {
    return Number(this.text(name));
  }

  duration(name: string): DurationMs {
    return parseDuration(this.text(name));
  }

  bytes(name: string): number {
    return parseBytes(this.text(name));
  }

  /** Flags that were given and do nothing yet. */
  withoutEffect(): string[] {
    return [...this.#values.keys()].filter((name) => !specOf(name).effective);
  }

  /** As /api/v1/status/flags shows them: every flag, in the order of their names. */
  shown(): Record<string, string> {
    const names = FLAGS.map(({ name }) => name).sort();
    return Object.fromEntries(names.map((name) => [name, this.#shownValue(specOf(name))]));
  }

  #shownValue(spec: FlagSpec): string {
    if (spec.repeatable) return this.list(spec.name).join(',');
    const text = this.text(spec.name);
    return spec.type === 'duration' && text !== '' ? formatDuration(parseDuration(text)) : text;
  }
}

export type FlagsOutcome =
  | { readonly type: 'help' }
  | { readonly type: 'version' }
  | { readonly type: 'run'; readonly flags: Flags };

/** Throws FlagError. */
export function parseFlags(args: readonly string[]): FlagsOutcome {
  const values = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--help' || arg === '-h' || arg === '--help-long') return { type: 'help' };
    if (arg === '--version') return { type: 'version' };
    if (!arg.startsWith('--')) {
      throw new FlagError(arg.startsWith('-') ? `unknown short flag '${arg}'` : `unexpected ${arg}`);
    }
    const equals = arg.indexOf('=');
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    const { spec, negated } = findSpec(name);
    let value: string | undefined = equals < 0 ? undefined : arg.slice(equals + 1);
    if (spec.type === 'bool') value = boolValue(value, negated, name);
    else value ??= args[++i];
    if (value === undefined) throw new FlagError(`expected argument for flag '--${name}'`);
    checkValue(spec, value);
    const given = values.get(spec.name);
    if (given && !spec.repeatable) throw new FlagError(`flag '${spec.name}' cannot be repeated`);
    if (given) given.push(value);
    else values.set(spec.name, [value]);
  }
  return { type: 'run', flags: new Flags(values) };
}

function findSpec(name: string): { spec: FlagSpec; negated: boolean } {
  const spec = BY_NAME.get(name);
  if (spec) return { spec, negated: false };
  const positive = name.startsWith('no-') ? BY_NAME.get(name.slice(3)) : undefined;
  if (positive?.type === 'bool') return { spec: positive, negated: true };
  throw new FlagError(`unknown long flag '--${name}'`);
}

function boolValue(value: string | undefined, negated: boolean, name: string): string {
  if (value === undefined) return negated ? 'false' : 'true';
  if (!negated && (value === 'true' || value === 'false')) return value;
  throw new FlagError(`unexpected ${value} after '--${name}'; write --${name} or --no-${name}`);
}

function checkValue(spec: FlagSpec, value: string): void {
  const fail = (reason: string): never => {
    throw new FlagError(`${reason} (flag '--${spec.name}')`);
  };
  const { values } = spec;
  if (values) {
    const wrong = (spec.repeatable ? value.split(',') : [value]).find((part) => !values.includes(part));
    if (wrong !== undefined) fail(`enum value must be one of ${values.join(',')}, got '${wrong}'`);
  }
  let number: number | undefined;
  try {
    number = numberOf(spec, value);
  } catch (error) {
    fail(errorText(error));
  }
  if (number !== undefined && (number < spec.min || number > spec.max)) {
    fail(`${value} is out of range: ${shownBound(spec, spec.min)} to ${shownBound(spec, spec.max)}`);
  }
}

/** The value as a number where the flag has one. Throws when it is not what the flag's type says. */
function numberOf(spec: FlagSpec, value: string): number | undefined {
  switch (spec.type) {
    case 'duration':
      return value === '' && spec.default === '' ? undefined : parseDuration(value);
    case 'bytes':
      return value === '' && spec.default === '' ? undefined : parseBytes(value);
    case 'int':
      if (!/^[+-]?\d+$/.test(value)) throw new FlagError(`strconv.ParseInt: parsing "${value}": invalid syntax`);
      return Number(value);
    case 'float':
      if (value.trim() === '' || Number.isNaN(Number(value))) {
        throw new FlagError(`strconv.ParseFloat: parsing "${value}": invalid syntax`);
      }
      return Number(value);
    case 'address':
      for (const part of value.split(',')) parseListenAddress(part);
      return undefined;
    case 'regex':
      compileAnchored(value);
      return undefined;
    case 'bool':
    case 'string':
      return undefined;
  }
}

function shownBound(spec: FlagSpec, bound: number): string {
  if (bound === Number.MAX_SAFE_INTEGER) return 'any';
  if (spec.type === 'duration') return formatDuration(bound);
  return spec.type === 'bytes' ? `${bound} bytes` : String(bound);
}

function specOf(name: string): FlagSpec {
  const spec = BY_NAME.get(name);
  if (!spec) throw new Error(`no flag ${name} in the table`);
  return spec;
}

const BYTE_UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** `512MB`, `1.5GiB`, `0`: units are powers of 1024, as in Prometheus. Throws FlagError. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGTPE]?)(?:iB|B)?$/.exec(text);
  if (!match) throw new FlagError(`units: invalid ${text}: expected a number with a unit such as 512MB`);
  return Math.floor(Number(match[1]) * 1024 ** BYTE_UNITS.indexOf(match[2]!));
}

export interface ListenAddress {
  /** undefined: all addresses. */
  readonly host: string | undefined;
  readonly port: number;
}

/** `host:port`, `:port` or `[v6]:port`. Throws FlagError. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new FlagError(`"${text}" is not host:port, as 127.0.0.1:9090 or :9090`);
  const host = match[1] ?? match[2];
  return { host: host === '' ? undefined : host, port };
}

/** Bytes, or a percentage of `wholeBytes`. Throws FlagError. */
export function parseShare(text: string, wholeBytes: number): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (!percent) return parseBytes(text);
  const share = Number(percent[1]);
  if (share <= 0 || share > 100) throw new FlagError(`${text} is not between 0% and 100%`);
  return Math.floor((wholeBytes * share) / 100);
}

const HELP_INDENT = ' '.repeat(8);

export function usageText(): string {
  const lines = FLAGS.filter(({ hidden }) => !hidden).map((spec) => {
    const name = spec.type === 'bool' ? `--[no-]${spec.name}` : `--${spec.name}=${JSON.stringify(spec.default)}`;
    const repeatable = spec.repeatable ? ' ...' : '';
    const values = spec.values ? ` One of: ${spec.values.join(', ')}.` : '';
    const later = spec.effective ? '' : ' (No effect yet.)';
    return `  ${name}${repeatable}\n${HELP_INDENT}${spec.help}${values}${later}\n`;
  });
  return `usage: narthex [server] [<flags>]
       narthex exporter [<flags>]
       narthex tool <command> [<flags>]

Narthex collects metrics, stores them and answers PromQL, as a Prometheus server does.

Flags:
  -h, --help
${HELP_INDENT}Shows this help.
  --version
${HELP_INDENT}Shows the version.
${lines.join('')}`;
}
