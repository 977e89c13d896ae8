// What one entry of `scrape_configs` and the `global` section mean to scraping: types, defaults, decoder.
import { isLabelName, type NameValidation, type RelabelConfig } from '../model/relabel.ts';
import { parseDuration, type DurationMs } from '../model/time.ts';
import { quoteGo } from '../model/labels.ts';
import { CodedError } from '../util/errors.ts';
import type { FieldsReader, NodeReader } from '../util/decode.ts';
import { decodeHttpConfig, type HttpConfig } from './http-config.ts';
import { decodeRelabelList } from './relabel-config.ts';
import { decodeStaticConfig, type TargetGroup } from './discovery/static.ts';

const SCRAPE_PROTOCOLS = [
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusProto',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];
const ESCAPING_SCHEMES = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type EscapingScheme = (typeof ESCAPING_SCHEMES)[number];

/** 0 is no limit throughout; `bodySizeLimitBytes` counts after decompression. */
interface ScrapeLimits {
  readonly bodySizeLimitBytes: number;
  readonly sampleLimit: number;
  readonly targetLimit: number;
  readonly labelLimit: number;
  readonly labelNameLengthLimit: number;
  readonly labelValueLengthLimit: number;
  readonly keepDroppedTargets: number;
}

/** Settings a scrape config takes over from `global`. */
export interface ScrapeDefaults extends ScrapeLimits {
  readonly scrapeIntervalMs: DurationMs;
  readonly scrapeTimeoutMs: DurationMs;
  /** undefined: the default order, which depends on scrape_native_histograms. */
  readonly scrapeProtocols: readonly ScrapeProtocol[] | undefined;
  readonly nameValidation: NameValidation;
  readonly nameEscaping: EscapingScheme;
  readonly scrapeNativeHistograms: boolean;
  readonly alwaysScrapeClassicHistograms: boolean;
  readonly convertClassicHistogramsToNhcb: boolean;
  readonly extraScrapeMetrics: boolean;
  readonly scrapeFailureLogFile: string;
}

export interface ScrapeGlobal extends ScrapeDefaults {
  readonly externalLabels: ReadonlyMap<string, string>;
}

export interface ScrapeConfig extends Omit<ScrapeDefaults, 'scrapeProtocols'> {
  readonly jobName: string;
  readonly scrapeProtocols: readonly ScrapeProtocol[];
  readonly fallbackScrapeProtocol: ScrapeProtocol | undefined;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly metricsPath: string;
  readonly scheme: string;
  readonly params: ReadonlyMap<string, readonly string[]>;
  readonly enableCompression: boolean;
  readonly nativeHistogramBucketLimit: number;
  readonly nativeHistogramMinBucketFactor: number;
  readonly http: HttpConfig;
  readonly relabel: readonly RelabelConfig[];
  readonly metricRelabel: readonly RelabelConfig[];
  readonly staticConfigs: readonly TargetGroup[];
}

const SCRAPE_DEFAULTS: ScrapeDefaults = {
  scrapeIntervalMs: 60_000,
  scrapeTimeoutMs: 10_000,
  scrapeProtocols: undefined,
  nameValidation: 'utf8',
  nameEscaping: 'allow-utf-8',
  scrapeNativeHistograms: false,
  alwaysScrapeClassicHistograms: false,
  convertClassicHistogramsToNhcb: false,
  extraScrapeMetrics: false,
  scrapeFailureLogFile: '',
  bodySizeLimitBytes: 0,
  sampleLimit: 0,
  targetLimit: 0,
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  keepDroppedTargets: 0,
};

/** Reads the fields of `global` that concern scraping; the caller reads the others and ends. */
export function decodeScrapeGlobal(fields: FieldsReader): ScrapeGlobal {
  const inherited = decodeInherited(fields, SCRAPE_DEFAULTS);
  const scrapeIntervalMs =
    inherited.scrapeIntervalMs === 0 ? SCRAPE_DEFAULTS.scrapeIntervalMs : inherited.scrapeIntervalMs;
  const timeoutMs = fields.get('scrape_timeout', readDuration, 0);
  if (timeoutMs > scrapeIntervalMs) fields.fail('scrape_timeout', 'global scrape timeout greater than scrape interval');
  const scrapeTimeoutMs = timeoutMs === 0 ? Math.min(SCRAPE_DEFAULTS.scrapeTimeoutMs, scrapeIntervalMs) : timeoutMs;
  return { ...inherited, scrapeIntervalMs, scrapeTimeoutMs, externalLabels: decodeLabelMap(fields, 'external_labels') };
}

/** Reads one entry of `scrape_configs`. */
export function decodeScrapeConfig(reader: NodeReader, global: ScrapeDefaults): ScrapeConfig {
  const fields = reader.fields('config.ScrapeConfig');
  const jobName = fields.string('job_name');
  if (jobName === '') fields.fail(undefined, 'job_name is empty');
  const job = `for scrape config with job name ${quoteGo(jobName)}`;
  const inherited = decodeInherited(fields, global, job);
  const { scrapeIntervalMs } = inherited;
  const timeoutMs = fields.get('scrape_timeout', readDuration, 0);
  if (timeoutMs > scrapeIntervalMs) fields.fail('scrape_timeout', `scrape timeout greater than scrape interval ${job}`);
  const config: ScrapeConfig = {
    jobName,
    ...inherited,
    scrapeTimeoutMs: timeoutMs === 0 ? Math.min(global.scrapeTimeoutMs, scrapeIntervalMs) : timeoutMs,
    scrapeProtocols: inherited.scrapeProtocols ?? defaultProtocols(inherited.scrapeNativeHistograms),
    fallbackScrapeProtocol: decodeFallback(fields, job),
    honorLabels: fields.boolean('honor_labels', false),
    honorTimestamps: fields.boolean('honor_timestamps', true),
    trackTimestampsStaleness: fields.boolean('track_timestamps_staleness', false),
    metricsPath: fields.string('metrics_path', '/metrics'),
    scheme: fields.string('scheme', 'http'),
    params: new Map(fields.get('params', (params) => params.entries((list) => list.strings()), [])),
    enableCompression: fields.boolean('enable_compression', true),
    nativeHistogramBucketLimit: fields.count('native_histogram_bucket_limit'),
    nativeHistogramMinBucketFactor: fields.get('native_histogram_min_bucket_factor', (factor) => factor.number(), 0),
    http: decodeHttpConfig(fields),
    relabel: decodeRelabels(fields, 'relabel_configs', 'target', inherited.nameValidation),
    metricRelabel: decodeRelabels(fields, 'metric_relabel_configs', 'metric', inherited.nameValidation),
    staticConfigs: fields.list('static_configs', decodeStaticConfig),
  };
  decodeOtherDiscovery(fields);
  fields.end();
  return config;
}

function decodeRelabels(
  fields: FieldsReader,
  name: string,
  kind: 'target' | 'metric',
  validation: NameValidation,
): RelabelConfig[] {
  return decodeRelabelList(fields, name, `empty or null ${kind} relabeling rule in scrape config`, validation);
}

function decodeInherited(fields: FieldsReader, from: ScrapeDefaults, job = ''): ScrapeDefaults {
  const nameValidation = fields.get(
    'metric_name_validation_scheme',
    (reader) => reader.oneOf(['utf8', 'legacy'], (text) => `unrecognized ValidationScheme: ${quoteGo(text)}`),
    from.nameValidation,
  );
  const interval = fields.get('scrape_interval', readDuration, 0);
  return {
    scrapeIntervalMs: interval === 0 ? from.scrapeIntervalMs : interval,
    scrapeTimeoutMs: from.scrapeTimeoutMs,
    scrapeProtocols: decodeProtocols(fields, job) ?? from.scrapeProtocols,
    nameValidation,
    nameEscaping: decodeEscaping(fields, nameValidation, from),
    scrapeNativeHistograms: fields.boolean('scrape_native_histograms', from.scrapeNativeHistograms),
    alwaysScrapeClassicHistograms: fields.boolean(
      'always_scrape_classic_histograms',
      from.alwaysScrapeClassicHistograms,
    ),
    convertClassicHistogramsToNhcb: fields.boolean(
      'convert_classic_histograms_to_nhcb',
      from.convertClassicHistogramsToNhcb,
    ),
    extraScrapeMetrics: fields.boolean('extra_scrape_metrics', from.extraScrapeMetrics),
    scrapeFailureLogFile: fields.string('scrape_failure_log_file', from.scrapeFailureLogFile),
    bodySizeLimitBytes: fields.get('body_size_limit', readBytes, 0) || from.bodySizeLimitBytes,
    sampleLimit: fields.count('sample_limit') || from.sampleLimit,
    targetLimit: fields.count('target_limit') || from.targetLimit,
    labelLimit: fields.count('label_limit') || from.labelLimit,
    labelNameLengthLimit: fields.count('label_name_length_limit') || from.labelNameLengthLimit,
    labelValueLengthLimit: fields.count('label_value_length_limit') || from.labelValueLengthLimit,
    keepDroppedTargets: fields.count('keep_dropped_targets') || from.keepDroppedTargets,
  };
}

function decodeEscaping(fields: FieldsReader, validation: NameValidation, from: ScrapeDefaults): EscapingScheme {
  const inheritedScheme = from.nameEscaping;
  const inferred = validation === 'legacy' && inheritedScheme === 'allow-utf-8' ? 'underscores' : inheritedScheme;
  const message = (text: string) =>
    `unknown global name escaping method specified, must be one of allow-utf-8, underscores, dots, or values, got ${quoteGo(text)}`;
  const scheme = fields.get(
    'metric_name_escaping_scheme',
    (reader) => reader.oneOf(ESCAPING_SCHEMES, message),
    inferred,
  );
  if (validation === 'legacy' && scheme === 'allow-utf-8') {
    fields.fail('metric_name_escaping_scheme', 'utf8 metric names requested but validation scheme is not set to UTF8');
  }
  return scheme;
}

function decodeProtocols(fields: FieldsReader, job: string): readonly ScrapeProtocol[] | undefined {
  const reader = fields.at('scrape_protocols');
  if (reader === undefined || reader.isNull) return undefined;
  const suffix = job === '' ? '' : ` ${job}`;
  const names = reader.strings();
  if (names.length === 0) reader.fail(`scrape_protocols cannot be empty${suffix}`);
  for (const [i, name] of names.entries()) {
    if (!isProtocol(name)) reader.fail(`scrape_protocols: ${unknownProtocol(name)}${suffix}`);
    else if (names.indexOf(name) < i) {
      reader.fail(`duplicated protocol in scrape_protocols, got [${names.join(' ')}]${suffix}`);
    }
  }
  return names.filter(isProtocol);
}

function decodeFallback(fields: FieldsReader, job: string): ScrapeProtocol | undefined {
  const reader = fields.at('fallback_scrape_protocol');
  const name = reader?.string() ?? '';
  if (reader === undefined || name === '') return undefined;
  if (isProtocol(name)) return name;
  reader.fail(`invalid fallback_scrape_protocol ${job}: ${unknownProtocol(name)}`);
  return undefined;
}

function isProtocol(name: string): name is ScrapeProtocol {
  return SCRAPE_PROTOCOLS.some((protocol) => protocol === name);
}

function unknownProtocol(name: string): string {
  return `unknown scrape protocol ${name}, supported: [${SCRAPE_PROTOCOLS.join(' ')}]`;
}

/** Prometheus' order of preference where the configuration sets none. */
export function defaultProtocols(nativeHistograms: boolean): readonly ScrapeProtocol[] {
  return nativeHistograms ? ['PrometheusProto', ...DEFAULT_PROTOCOLS] : DEFAULT_PROTOCOLS;
}

/** Service discoveries that load but do not find targets yet. */
const OTHER_DISCOVERY =
  'aws azure consul digitalocean dns docker dockerswarm ec2 ecs elasticache eureka file gce hetzner http ionos kubernetes kuma lightsail linode marathon msk nerve nomad oci openstack outscale ovhcloud puppetdb rds scaleway serverset stackit triton uyuni vultr'.split(
    ' ',
  );

function decodeOtherDiscovery(fields: FieldsReader): void {
  for (const name of OTHER_DISCOVERY) {
    const reader = fields.at(`${name}_sd_configs`);
    if (reader !== undefined && !reader.isNull)
      reader.warn(`${name}_sd_configs has no effect yet: no targets come from it`);
  }
}

export function readDuration(reader: NodeReader): DurationMs {
  return reader.parsed(parseDuration, 0);
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ...['K', 'M', 'G', 'T', 'P', 'E'].flatMap((unit, i): [string, number][] => [
    [`${unit}B`, 1024 ** (i + 1)],
    [`${unit}iB`, 1024 ** (i + 1)],
  ]),
]);

/** A size with its unit, powers of 1024; a bare 0 is none. */
function parseBytes(text: string): number {
  if (text === '0' || text === '') return 0;
  const match = /^([-+]?[\d.]+)(.*)$/.exec(text);
  const unit = UNITS.get(match?.[2] ?? '');
  if (!match) throw new CodedError('bad_data', `units: invalid ${text}`);
  if (unit === undefined) throw new CodedError('bad_data', `units: unknown unit ${match[2]} in ${text}`);
  return Math.floor(Number(match[1]) * unit);
}

function readBytes(reader: NodeReader): number {
  return reader.parsed(parseBytes, 0);
}

/** A map of labels, names and values checked. */
function decodeLabelMap(fields: FieldsReader, name: string): Map<string, string> {
  const reader = fields.at(name);
  const labels = new Map<string, string>();
  for (const [label, value] of reader?.entries((item) => item.string()) ?? []) {
    if (!isLabelName(label, 'utf8')) reader?.fail(`${quoteGo(label)} is not a valid label name`);
    else if (!value.isWellFormed()) reader?.fail(`${quoteGo(value)} is not a valid label value`);
    else labels.set(label, value);
  }
  return labels;
}
