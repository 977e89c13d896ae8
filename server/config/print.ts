import { Document, visit } from 'yaml';
import { DEFAULT_RELABEL, type RelabelConfig } from '../../model/relabel.ts';
import { formatDuration } from '../../model/time.ts';
import { defaultProtocols, type ScrapeConfig, type ScrapeDefaults } from '../../scraper/config.ts';
import type { HttpConfig } from '../../scraper/http-config.ts';
import type { ConfigNode } from '../../util/decode.ts';
import type { GlobalConfig } from './load.ts';

type Fields = Record<string, unknown>;

const HIDDEN = '<secret>';
/** Keys whose value is hidden in sections that have no type of their own yet. */
const SECRET_KEY =
  /^(?:.*password|.*secret|.*secret_key|.*token|credentials|.*passphrase|(?:private|api|consumer|application|integration|routing|service|service_account|user|access)_key|key|auth_key|bot_token|secrets)$/;
const LISTS_IN_LINE: ReadonlySet<string> = new Set(['source_labels']);
const GOGC = 75;

/** The configuration as Prometheus prints it: its order of fields, defaults filled in, secrets hidden. */
export function printConfig(
  global: GlobalConfig,
  scrapeConfigs: readonly ScrapeConfig[],
  raw: { readonly scrapeNodes: readonly ConfigNode[]; readonly later: ReadonlyMap<string, ConfigNode> },
): string {
  const section = (name: string) => {
    const node = raw.later.get(name);
    return node === undefined ? undefined : plain(node);
  };
  const root: Fields = {
    global: globalFields(global),
    runtime: { gogc: GOGC },
    rule_files: section('rule_files'),
    scrape_config_files: section('scrape_config_files'),
    alerting: section('alerting'),
    scrape_configs: list(scrapeConfigs.map((config, i) => scrapeFields(config, global, raw.scrapeNodes[i]))),
    storage: section('storage'),
    tracing: section('tracing'),
    remote_write: section('remote_write'),
    remote_read: section('remote_read'),
    otlp: section('otlp'),
  };
  const document = new Document(compact(root));
  visit(document, {
    Pair(_, pair) {
      const key = String((pair.key as { value?: unknown }).value);
      if (LISTS_IN_LINE.has(key)) (pair.value as { flow?: boolean }).flow = true;
    },
  });
  return document.toString({ indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}

function globalFields(global: GlobalConfig): Fields {
  const labels = Object.fromEntries([...global.externalLabels].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    scrape_interval: formatDuration(global.scrapeIntervalMs),
    scrape_timeout: formatDuration(global.scrapeTimeoutMs),
    scrape_protocols: global.scrapeProtocols ?? defaultProtocols(global.scrapeNativeHistograms),
    evaluation_interval: formatDuration(global.evaluationIntervalMs),
    rule_query_offset: duration(global.ruleQueryOffsetMs),
    query_log_file: text(global.queryLogFile),
    scrape_failure_log_file: text(global.scrapeFailureLogFile),
    external_labels: global.externalLabels.size === 0 ? undefined : labels,
    ...limitFields(global),
    metric_name_validation_scheme: global.nameValidation === 'utf8' ? undefined : global.nameValidation,
    metric_name_escaping_scheme: global.nameEscaping === 'allow-utf-8' ? undefined : global.nameEscaping,
    scrape_native_histograms: set(global.scrapeNativeHistograms),
    convert_classic_histograms_to_nhcb: set(global.convertClassicHistogramsToNhcb),
    always_scrape_classic_histograms: set(global.alwaysScrapeClassicHistograms),
    extra_scrape_metrics: set(global.extraScrapeMetrics),
  };
}

function limitFields(limits: ScrapeDefaults): Fields {
  return {
    body_size_limit: limits.bodySizeLimitBytes === 0 ? undefined : bytes(limits.bodySizeLimitBytes),
    sample_limit: limits.sampleLimit || undefined,
    target_limit: limits.targetLimit || undefined,
    label_limit: limits.labelLimit || undefined,
    label_name_length_limit: limits.labelNameLengthLimit || undefined,
    label_value_length_limit: limits.labelValueLengthLimit || undefined,
    keep_dropped_targets: limits.keepDroppedTargets || undefined,
  };
}

function scrapeFields(config: ScrapeConfig, global: GlobalConfig, node: ConfigNode | undefined): Fields {
  return {
    job_name: config.jobName,
    honor_labels: set(config.honorLabels),
    honor_timestamps: config.honorTimestamps,
    track_timestamps_staleness: config.trackTimestampsStaleness,
    params: config.params.size === 0 ? undefined : Object.fromEntries(config.params),
    scrape_interval: formatDuration(config.scrapeIntervalMs),
    scrape_timeout: formatDuration(config.scrapeTimeoutMs),
    scrape_protocols: config.scrapeProtocols,
    fallback_scrape_protocol: config.fallbackScrapeProtocol,
    scrape_native_histograms: flag(config.scrapeNativeHistograms, global.scrapeNativeHistograms),
    always_scrape_classic_histograms: config.alwaysScrapeClassicHistograms,
    convert_classic_histograms_to_nhcb: config.convertClassicHistogramsToNhcb,
    extra_scrape_metrics: flag(config.extraScrapeMetrics, global.extraScrapeMetrics),
    metrics_path: config.metricsPath,
    scheme: config.scheme,
    enable_compression: config.enableCompression,
    ...limitFields(config),
    native_histogram_bucket_limit: config.nativeHistogramBucketLimit || undefined,
    native_histogram_min_bucket_factor: config.nativeHistogramMinBucketFactor || undefined,
    metric_name_validation_scheme: config.nameValidation,
    metric_name_escaping_scheme: config.nameEscaping,
    scrape_failure_log_file: text(config.scrapeFailureLogFile),
    ...httpFields(config.http),
    relabel_configs: list(config.relabel.map(relabelFields)),
    metric_relabel_configs: list(config.metricRelabel.map(relabelFields)),
    ...discoveryFields(node),
    static_configs: list(
      config.staticConfigs.map((group) => ({
        targets: group.targets.map((target) => target.get('__address__') ?? ''),
        labels: group.labels.size === 0 ? undefined : Object.fromEntries(group.labels),
      })),
    ),
  };
}

function httpFields(http: HttpConfig): Fields {
  const { basicAuth, authorization, tls } = http;
  return {
    basic_auth: basicAuth && {
      username: text(basicAuth.username),
      username_file: text(basicAuth.usernameFile),
      password: basicAuth.password.secret && HIDDEN,
      password_file: text(basicAuth.password.file),
    },
    authorization: authorization && {
      type: authorization.type,
      credentials: authorization.credentials.secret && HIDDEN,
      credentials_file: text(authorization.credentials.file),
    },
    tls_config: tls && {
      ca: text(tls.ca),
      cert: text(tls.cert),
      key: tls.key.secret && HIDDEN,
      ca_file: text(tls.caFile),
      cert_file: text(tls.certFile),
      key_file: text(tls.key.file),
      server_name: text(tls.serverName),
      insecure_skip_verify: tls.insecureSkipVerify,
      min_version: text(tls.minVersion),
      max_version: text(tls.maxVersion),
    },
    follow_redirects: http.followRedirects,
    enable_http2: http.enableHttp2,
    http_headers:
      http.headers.size === 0
        ? undefined
        : Object.fromEntries(
            [...http.headers].map(([name, header]) => [
              name,
              {
                values: list(header.values),
                secrets: list(header.secrets.map(() => HIDDEN)),
                files: list(header.files),
              },
            ]),
          ),
  };
}

function relabelFields(config: RelabelConfig): Fields {
  const isPlain = config.regex === DEFAULT_RELABEL.regex;
  return {
    source_labels: list(config.sourceLabels),
    separator: config.separator,
    regex: isPlain ? undefined : config.regex,
    modulus: config.modulus || undefined,
    target_label: text(config.targetLabel),
    replacement: config.replacement,
    action: config.action,
  };
}

function discoveryFields(node: ConfigNode | undefined): Fields {
  const found: Fields = {};
  if (node?.type !== 'map') return found;
  for (const { key, value } of node.entries) if (key.text.endsWith('_sd_configs')) found[key.text] = plain(value);
  return found;
}

/** A node as plain data, secrets hidden by the names of their keys and in addresses. */
function plain(node: ConfigNode): unknown {
  if (node.type === 'list') return node.items.map(plain);
  if (node.type === 'scalar') return typeof node.value === 'string' ? hidePassword(node.value) : node.value;
  return Object.fromEntries(
    node.entries.map(({ key, value }) => [key.text, isSecret(key.text, value) ? hidden(value) : plain(value)]),
  );
}

function isSecret(key: string, value: ConfigNode): boolean {
  return value.type !== 'map' && SECRET_KEY.test(key);
}

function hidden(value: ConfigNode): unknown {
  return value.type === 'list' ? value.items.map(() => HIDDEN) : HIDDEN;
}

function hidePassword(value: string): string {
  return value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/@]*@/i, `$1:${HIDDEN}@`);
}

/** Without the fields that are not set. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(kept.map(([key, field]) => [key, compact(field)]));
}

function set(isOn: boolean): true | undefined {
  return isOn ? true : undefined;
}

/** A flag that is off is shown where that is not what `global` says. */
function flag(value: boolean, inherited: boolean): boolean | undefined {
  return value || inherited ? value : undefined;
}

function text(value: string): string | undefined {
  return value === '' ? undefined : value;
}

function duration(valueMs: number): string | undefined {
  return valueMs === 0 ? undefined : formatDuration(valueMs);
}

function list<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items;
}

function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let unit = 0;
  let value = size;
  while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value}${units[unit]}`;
}
