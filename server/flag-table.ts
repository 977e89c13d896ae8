// Every flag of the server: Prometheus' own (spec/cli.md section 1) and ours. server/flags.ts parses by this table.

type FlagType = 'bool' | 'string' | 'duration' | 'int' | 'float' | 'bytes' | 'address' | 'regex';

export interface FlagSpec {
  readonly name: string;
  readonly type: FlagType;
  /** As it would be typed; '' is unset. */
  readonly default: string;
  readonly help: string;
  /** False: accepted, with one warning that it does nothing yet. */
  readonly effective: boolean;
  /** May be given more than once, and as a list with commas. */
  readonly repeatable: boolean;
  /** Left out of --help. */
  readonly hidden: boolean;
  /** The only values accepted. */
  readonly values: readonly string[] | undefined;
  /** Bounds of a number, in its own unit (ms, bytes). */
  readonly min: number;
  readonly max: number;
  /** Only makes sense for an agent. */
  readonly agentOnly: boolean;
}

type Extras = Partial<Omit<FlagSpec, 'name' | 'type' | 'default' | 'help'>>;

function flag(name: string, type: FlagType, initial: string, help: string, extras: Extras = {}): FlagSpec {
  const base = { effective: true, repeatable: false, hidden: false, values: undefined, agentOnly: false };
  return { name, type, default: initial, help, ...base, min: 0, max: Number.MAX_SAFE_INTEGER, ...extras };
}

const LATER: Extras = { effective: false };
const LATER_HIDDEN: Extras = { effective: false, hidden: true };
const LATER_AGENT: Extras = { effective: false, agentOnly: true };
const SECOND_MS = 1000;
const MIB = 1024 * 1024;
const WRITE_MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'];

const CONFIG_FLAGS: readonly FlagSpec[] = [
  flag(
    'config.file',
    'string',
    'prometheus.yml',
    'Configuration file. Where it is not given and there is no ./prometheus.yml, a built-in configuration is used.',
  ),
  flag('config.auto-reload', 'bool', 'false', 'Reload the configuration when its files change.', LATER),
  flag('config.auto-reload-interval', 'duration', '30s', 'How often to look for changed configuration files.', LATER),
];

const WEB_FLAGS: readonly FlagSpec[] = [
  flag('web.listen-address', 'address', '127.0.0.1:9090', 'Address to listen on, host:port. Repeatable.', {
    repeatable: true,
  }),
  flag('web.config.file', 'string', '', 'File with TLS settings and passwords.', LATER),
  flag('web.read-timeout', 'duration', '5m', 'Longest time for a whole request to arrive.', { min: SECOND_MS }),
  flag('web.max-connections', 'int', '512', 'Most connections at once; 32 more are kept for health checks.', {
    min: 1,
  }),
  flag('web.max-notifications-subscribers', 'int', '16', 'Most subscribers to live notifications.', LATER),
  flag(
    'web.external-url',
    'string',
    '',
    'URL under which this server is reached from outside; its path is the prefix.',
  ),
  flag('web.route-prefix', 'string', '', 'Prefix of all paths. Default: the path of --web.external-url.'),
  flag('web.user-assets', 'string', '', 'Folder of static files served at /user.', LATER),
  flag('web.console.templates', 'string', 'consoles', 'Console templates are not supported.', LATER),
  flag('web.console.libraries', 'string', 'console_libraries', 'Console templates are not supported.', LATER),
  flag(
    'web.page-title',
    'string',
    'Prometheus Time Series Collection and Processing Server',
    'Title of the console.',
    LATER,
  ),
  flag('web.enable-lifecycle', 'bool', 'false', 'Allow reload and shutdown by HTTP.'),
  flag('web.enable-admin-api', 'bool', 'false', 'Allow the administration API.', LATER),
  flag('web.enable-remote-write-receiver', 'bool', 'false', 'Accept remote write at /api/v1/write.'),
  flag('web.enable-otlp-receiver', 'bool', 'false', 'Accept OTLP metrics.', LATER),
  flag(
    'web.remote-write-receiver.accepted-protobuf-messages',
    'string',
    WRITE_MESSAGES.join(','),
    'Messages accepted by remote write. Only prometheus.WriteRequest can be stored yet.',
    { repeatable: true, values: WRITE_MESSAGES },
  ),
  flag('web.cors.origin', 'regex', '', 'Origins that may read the API from a browser, as an anchored pattern.'),
  flag('web.search.max-limit', 'int', '10000', 'Largest limit of the search API.', LATER),
  flag('web.shutdown-grace', 'duration', '5s', 'Time that running queries get at shutdown.'),
];

const STORAGE_FLAGS: readonly FlagSpec[] = [
  flag('storage.tsdb.path', 'string', 'data/', 'Folder of the data.'),
  flag('storage.tsdb.retention.time', 'duration', '', 'How long samples are kept. Default 15d.', LATER),
  flag('storage.tsdb.retention.size', 'bytes', '0B', 'Most bytes that blocks may take; 0 is no limit.', LATER),
  flag('storage.tsdb.no-lockfile', 'bool', 'false', 'Do not lock the data folder.'),
  flag('storage.tsdb.min-block-duration', 'duration', '2h', 'Shortest block.', LATER_HIDDEN),
  flag('storage.tsdb.max-block-duration', 'duration', '', 'Longest block.', LATER_HIDDEN),
  flag('storage.tsdb.wal-segment-size', 'bytes', '128MB', 'Size of a segment of the write-ahead log.', {
    hidden: true,
    min: 10 * MIB,
    max: 256 * MIB,
  }),
  flag('storage.tsdb.wal-compression', 'bool', 'true', 'Compress the write-ahead log.', { hidden: true }),
  flag('storage.tsdb.wal-compression-type', 'string', 'snappy', 'Compression of the write-ahead log.', {
    hidden: true,
    values: ['snappy', 'zstd'],
  }),
  flag('storage.tsdb.wal-fsync', 'string', 'interval', 'When the write-ahead log is made durable.', {
    values: ['interval', 'commit', 'segment'],
  }),
  flag('storage.tsdb.wal-fsync-interval', 'duration', '1s', 'With interval: the most that a power loss may cost.', {
    min: 1,
  }),
  flag('storage.tsdb.max-head-series', 'int', '0', 'Most series in the head; 0: by --memory.budget.'),
  flag('storage.tsdb.min-free-disk', 'bytes', '', 'Stop storing below this. Default: 1% of the disk, 64MB to 1GB.'),
  flag('storage.tsdb.max-block-chunk-segment-size', 'bytes', '512MB', 'Size of a chunk file of a block.', LATER_HIDDEN),
  flag('storage.tsdb.allow-overlapping-compaction', 'bool', 'true', 'Merge overlapping blocks.', LATER_HIDDEN),
  flag('storage.tsdb.head-chunks-write-queue-size', 'int', '0', 'Queue of the head chunk writer.', LATER),
  flag('storage.tsdb.samples-per-chunk', 'int', '120', 'Samples after which a chunk is cut.', LATER_HIDDEN),
  flag('storage.tsdb.block-reload-interval', 'duration', '1m', 'How often blocks are looked for.', LATER_HIDDEN),
  flag('storage.tsdb.delay-compact-file.path', 'string', '', 'No compaction while this file exists.', LATER),
  flag('storage.tsdb.delayed-compaction.max-percent', 'int', '10', 'Most delay of a compaction.', LATER_HIDDEN),
  flag('storage.agent.path', 'string', 'data-agent/', 'Folder of the data of an agent.', LATER_AGENT),
  flag('storage.agent.wal-compression', 'bool', 'true', 'Compress the log of an agent.', LATER_AGENT),
  flag('storage.agent.wal-compression-type', 'string', 'snappy', 'Compression of the log of an agent.', {
    ...LATER_AGENT,
    hidden: true,
    values: ['snappy', 'zstd'],
  }),
  flag('storage.agent.wal-segment-size', 'bytes', '0B', 'Segment size of an agent.', { ...LATER_AGENT, hidden: true }),
  flag('storage.agent.wal-truncate-frequency', 'duration', '0s', 'How often the log of an agent is cut.', {
    ...LATER_AGENT,
    hidden: true,
  }),
  flag('storage.agent.retention.min-time', 'duration', '5m', 'Shortest time an agent keeps samples.', LATER_AGENT),
  flag('storage.agent.retention.max-time', 'duration', '4h', 'Longest time an agent keeps samples.', LATER_AGENT),
  flag('storage.agent.no-lockfile', 'bool', 'false', 'Do not lock the data folder of an agent.', LATER_AGENT),
  flag('storage.remote.flush-deadline', 'duration', '1m', 'Time to flush samples at shutdown.', LATER),
  flag('storage.remote.read-sample-limit', 'int', '50000000', 'Most samples of one remote read.', LATER),
  flag('storage.remote.read-concurrent-limit', 'int', '10', 'Most remote reads at once.', LATER),
  flag('storage.remote.read-max-bytes-in-frame', 'int', '1048576', 'Largest frame of a remote read.', LATER),
];

const ENGINE_FLAGS: readonly FlagSpec[] = [
  flag('rules.alert.for-outage-tolerance', 'duration', '1h', 'Longest outage after which "for" is restored.', LATER),
  flag(
    'rules.alert.for-grace-period',
    'duration',
    '10m',
    'Shortest time between an alert and its restored "for".',
    LATER,
  ),
  flag('rules.alert.resend-delay', 'duration', '1m', 'Time before an alert is sent again.', LATER),
  flag('rules.max-concurrent-evals', 'int', '4', 'Most rules evaluated at once.', LATER),
  flag('alertmanager.notification-queue-capacity', 'int', '10000', 'Notifications that may wait.', LATER),
  flag('alertmanager.notification-batch-size', 'int', '256', 'Notifications sent at once.', LATER),
  flag('alertmanager.drain-notification-queue-on-shutdown', 'bool', 'true', 'Send what waits at shutdown.', LATER),
  flag('query.lookback-delta', 'duration', '5m', 'How far an expression looks back for a sample.', { min: 1 }),
  flag('query.timeout', 'duration', '2m', 'Longest time of a query.', { min: 1 }),
  flag('query.max-concurrency', 'int', '20', 'Most queries at once.', { min: 1, max: 10_000 }),
  flag('query.max-samples', 'int', '50000000', 'Most samples that a query may hold.', { min: 1 }),
  flag('query.max-memory', 'string', '25%', 'Most memory of one query: bytes, or a share of --memory.budget.'),
  flag('query.max-response-size', 'bytes', '256MB', 'Most bytes of one answer.', { min: 1024, max: 1024 * MIB }),
  flag('query.workers', 'int', '0', 'Threads that run queries; 0: one for each core, at least 2.', { max: 256 }),
  flag('scrape.adjust-timestamps', 'bool', 'true', 'Align the times of scrapes.', LATER_HIDDEN),
  flag('scrape.timestamp-tolerance', 'duration', '2ms', 'How far times of scrapes are aligned.', LATER_HIDDEN),
  flag('scrape.discovery-reload-interval', 'duration', '5s', 'How often discovered targets are applied.', LATER_HIDDEN),
  flag('scrape.deny-cidr', 'string', '', 'Networks that are never scraped, as 169.254.169.254/32. Repeatable.', {
    ...LATER,
    repeatable: true,
  }),
  flag('exporter.enabled', 'bool', 'true', 'Serve the built-in exporters at /metrics/host and /metrics/cadvisor.'),
];

const PROCESS_FLAGS: readonly FlagSpec[] = [
  flag('memory.budget', 'string', '60%', 'Memory to use: bytes, or a share of what the machine or its cgroup has.'),
  flag('own-annotations', 'bool', 'false', 'Warnings and infos of queries that Prometheus does not have.', LATER),
  flag('compat.prometheus-strict', 'bool', 'false', 'Behave as Prometheus where Narthex chose differently.', LATER),
  flag('enable-feature', 'string', '', 'Features to switch on, by comma. Repeatable.', { repeatable: true }),
  flag('agent', 'bool', 'false', 'Run as an agent.', LATER),
  flag('auto-gomaxprocs', 'bool', 'true', 'Accepted for compatibility.', { hidden: true }),
  flag('auto-gomemlimit', 'bool', 'true', 'Accepted for compatibility.', { hidden: true }),
  flag('auto-gomemlimit.ratio', 'float', '0.9', 'Accepted for compatibility.', { hidden: true }),
  flag('auto-gomemlimit.refresh-interval', 'duration', '0s', 'Accepted for compatibility.', { hidden: true }),
  flag('log.level', 'string', 'info', 'Least severe messages that are logged.', {
    values: ['debug', 'info', 'warn', 'error'],
  }),
  flag('log.format', 'string', 'logfmt', 'Format of log messages.', { values: ['logfmt', 'json'] }),
];

export const FLAGS: readonly FlagSpec[] = [
  ...CONFIG_FLAGS,
  ...WEB_FLAGS,
  ...STORAGE_FLAGS,
  ...ENGINE_FLAGS,
  ...PROCESS_FLAGS,
];
