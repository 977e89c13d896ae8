// prometheus.yml -> typed configuration. Each component decodes its own part (scraper/config.ts); here they are put
// together, checked against each other, and problems become `file:line:column path: message`.
import { quoteGo } from '../../model/labels.ts';
import type { DurationMs } from '../../model/time.ts';
import {
  decodeScrapeConfig,
  decodeScrapeGlobal,
  readDuration,
  type ScrapeConfig,
  type ScrapeGlobal,
} from '../../scraper/config.ts';
import { NodeReader, Problems, type ConfigNode, type FieldsReader, type Problem } from '../../util/decode.ts';
import { CodedError } from '../../util/errors.ts';
import { printConfig } from './print.ts';
import { parseTree } from './tree.ts';

export interface GlobalConfig extends ScrapeGlobal {
  readonly evaluationIntervalMs: DurationMs;
  readonly ruleQueryOffsetMs: DurationMs;
  readonly queryLogFile: string;
}

export interface LoadedConfig {
  readonly fileName: string;
  readonly global: GlobalConfig;
  readonly scrapeConfigs: readonly ScrapeConfig[];
  /** Patterns as written. */
  readonly ruleFiles: readonly string[];
  /** What has no effect yet and the like: `file:line:column path: message`. */
  readonly warnings: readonly string[];
  /** The whole as /api/v1/status/config shows it: defaults filled in, secrets hidden. */
  readonly yaml: string;
}

/** A configuration that cannot be used. The message has a line per problem, the first being the one to show. */
export class ConfigError extends CodedError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('bad_data', problems.join('\n'));
    this.problems = problems;
  }
}

/** Sections that are understood but not acted on yet. */
const LATER_SECTIONS = [
  'scrape_config_files',
  'rule_files',
  'alerting',
  'remote_write',
  'remote_read',
  'storage',
  'tracing',
  'otlp',
] as const;
const DEFAULT_EVALUATION_INTERVAL_MS = 60_000;
/** `*` may stand in the last element of a path only. */
const PATH_PATTERN = /^[^*]*(?:\*[^/]*)?$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws ConfigError naming every problem found. `env` is what external labels may refer to. */
export function loadConfig(text: string, fileName: string, env: Environment = {}): LoadedConfig {
  const problems = new Problems();
  const tree = parseTree(text);
  if ('problems' in tree) throw new ConfigError(tree.problems.map((problem) => format(fileName, problem)));
  const reader = new NodeReader(tree.root, '', problems);
  const fields = reader.fields('config.plain');
  const global = decodeGlobal(fields, env);
  const scrapeNodes: ConfigNode[] = [];
  const jobNames = new Set<string>();
  const scrapeConfigs = fields
    .list('scrape_configs', (item) => {
      if (item.isNull) {
        item.fail('empty or null scrape config section');
        return undefined;
      }
      scrapeNodes.push(item.node);
      const config = decodeScrapeConfig(item, global);
      const { jobName } = config;
      if (jobNames.has(jobName)) item.fail(`found multiple scrape configs with job name ${quoteGo(jobName)}`);
      jobNames.add(jobName);
      return config;
    })
    .filter((config) => config !== undefined);
  const ruleFiles = decodePaths(fields, 'rule_files', 'rule');
  decodePaths(fields, 'scrape_config_files', 'scrape config');
  const runtime = fields.at('runtime')?.fields('config.RuntimeConfig');
  runtime?.count('gogc');
  runtime?.end();
  const later = new Map<string, ConfigNode>();
  for (const name of LATER_SECTIONS) {
    const section = fields.at(name);
    if (section === undefined || section.isNull) continue;
    later.set(name, section.node);
    section.warn(`${name} has no effect yet`);
  }
  fields.end();
  if (problems.errors.length > 0) throw new ConfigError(problems.errors.map((problem) => format(fileName, problem)));
  return {
    fileName,
    global,
    scrapeConfigs,
    ruleFiles,
    warnings: problems.warnings.map((problem) => format(fileName, problem)),
    yaml: printConfig(global, scrapeConfigs, { scrapeNodes, later }),
  };
}

function decodeGlobal(fields: FieldsReader, env: Environment): GlobalConfig {
  const position = { line: 1, column: 1 };
  const reader =
    fields.at('global') ?? new NodeReader({ type: 'map', entries: [], ...position }, 'global', new Problems());
  const inner = reader.fields('config.plain');
  const scrape = decodeScrapeGlobal(inner);
  const externalLabels = new Map<string, string>();
  for (const [name, value] of scrape.externalLabels) {
    externalLabels.set(
      name,
      expandEnvironment(value, env, (variable) => reader.warn(`environment variable ${variable} is not set`)),
    );
  }
  const global: GlobalConfig = {
    ...scrape,
    externalLabels,
    evaluationIntervalMs: inner.get('evaluation_interval', readDuration, 0) || DEFAULT_EVALUATION_INTERVAL_MS,
    ruleQueryOffsetMs: inner.get('rule_query_offset', readDuration, 0),
    queryLogFile: inner.string('query_log_file'),
  };
  inner.end();
  return global;
}

/** Go's os.Expand with `$$` for a dollar. */
function expandEnvironment(text: string, env: Environment, onMissing: (name: string) => void): string {
  return text.replaceAll(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced: string | undefined, bare: string | undefined) => {
    const name = braced ?? bare;
    if (name === undefined) return '$';
    const value = env[name];
    if (value === undefined) onMissing(name);
    return value ?? '';
  });
}

function decodePaths(fields: FieldsReader, name: string, kind: string): string[] {
  return fields.list(name, (item) => {
    const path = item.string();
    if (!PATH_PATTERN.test(path)) item.fail(`invalid ${kind} file path ${quoteGo(path)}`);
    return path;
  });
}

function format(fileName: string, { line, column, path, message }: Problem): string {
  // Bytes that are no text (see tree.ts) are shown as Go shows them.
  const shown = message.replaceAll(/[\udc80-\udcff]/g, (char) => `\\x${(char.charCodeAt(0) - 0xdc00).toString(16)}`);
  return `${fileName}:${line}:${column}${path === '' ? '' : ` ${path}`}: ${shown.toWellFormed()}`;
}
