// Builds the parts of the server in order and takes them down in reverse:
//   log -> configuration -> HTTP (503 until ready) -> query and exporter workers -> database (lock, replay) -> scraping.
// This is the one place that knows all engines. Everything here is on the main thread, which owns the head.
import { hostname } from 'node:os';
import { CodedError, errorText } from '../util/errors.ts';
import type { Host, Log } from '../util/host.ts';
import { createNodeHost } from '../util/node-host.ts';
import { WriteReceiver } from '../remote/write-receiver.ts';
import { HttpFetcher } from '../scraper/http-client.ts';
import { ScrapeManager } from '../scraper/manager.ts';
import { Db } from '../tsdb/db.ts';
import { chooseConfig, type ChosenSource } from './config-source.ts';
import type { LoadedConfig } from './config/load.ts';
import { ConfigHolder } from './config/reload.ts';
import { dbOptions, engineOptions, featureWarnings } from './engine-flags.ts';
import { FLAGS } from './flag-table.ts';
import { FlagError, type Flags } from './flags.ts';
import { createLog, type LogFormat, type LogLevel } from './log.ts';
import { planResources, residentBytes, type Resources } from './machine.ts';
import { SelfMetrics } from './self-metrics.ts';
import { VERSION } from './version.ts';
import { WebServer, type WebParts } from './web.ts';
import { ExporterClient } from './workers/exporter-client.ts';
import { QueryPool } from './workers/query-pool.ts';

const EXIT = { clean: 0, failure: 1, usage: 2, wrongMode: 3 } as const;
/** Memory share from which new queries are refused, and how often it is looked at (O14). */
const MEMORY_FULL_SHARE = 0.95;
const MEMORY_CHECK_MS = 1000;
/** Nesting up to the parser's limit fits; only touched pages count. */
const WORKER_STACK_MB = 16;
const WORKER_YOUNG_MB = 12;

/** A reason not to start, told in one line. */
class StartError extends CodedError {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super('unavailable', message, options);
    this.exitCode = exitCode;
  }
}

/** Runs until a signal or /-/quit; resolves with the exit code. Throws FlagError for a value that cannot be used. */
export async function runServer(flags: Flags): Promise<number> {
  const write = (line: string): void => void process.stderr.write(line);
  const log = createLog(flags.text('log.level') as LogLevel, flags.text('log.format') as LogFormat, write);
  const stop = new AbortController();
  endOnBugs(log);
  stopOnSignals(log, stop);
  const server = new Server(flags, log, () => stop.abort());
  try {
    checkMode(flags);
    await Promise.race([server.start(), untilAborted(stop.signal)]);
    await untilAborted(stop.signal);
    log.info({}, 'stopping');
    await server.stop();
    log.info({}, 'stopped');
    return EXIT.clean;
  } catch (error) {
    await server.stop();
    if (error instanceof FlagError) throw error;
    if (!(error instanceof CodedError)) throw error;
    write(`narthex: error: ${error.message}\n`);
    return error instanceof StartError ? error.exitCode : EXIT.failure;
  }
}

interface Part {
  readonly name: string;
  readonly close: () => Promise<void> | void;
}

/** The parts, and the order in which they start and end. */
class Server {
  readonly #flags: Flags;
  readonly #log: Log;
  readonly #host: Host;
  readonly #metrics: SelfMetrics;
  readonly #requestStop: () => void;
  readonly #startMs: number;
  readonly #parts: Part[] = [];
  #state: 'starting' | 'ready' | 'stopping' = 'starting';
  #config: ConfigHolder | undefined;
  #db: Db | undefined;
  #corruptionCount = 0;
  #scraper: ScrapeManager | undefined;
  #receiver: WriteReceiver | undefined;

  constructor(flags: Flags, log: Log, requestStop: () => void) {
    this.#flags = flags;
    this.#log = log;
    this.#requestStop = requestStop;
    this.#host = createNodeHost(log);
    this.#startMs = this.#host.clock.nowMs();
    this.#metrics = new SelfMetrics(this.#startMs);
  }

  /** Resolves when queries are answered and targets scraped. Rejects with CodedError. */
  async start(): Promise<void> {
    const flags = this.#flags;
    const log = this.#log;
    const resources = planResources(flags);
    for (const name of flags.withoutEffect()) log.warn({ flag: `--${name}` }, 'flag has no effect yet');
    for (const warning of featureWarnings(flags)) log.warn({ flag: '--enable-feature' }, warning);

    const exporters = flags.bool('exporter.enabled') ? new ExporterClient(log) : undefined;
    const listening = Promise.withResolvers<string>();
    const source = await chooseConfig(flags, async () => ({
      listenAddress: await listening.promise,
      hasContainers: (await exporters?.hasContainers().catch(() => false)) ?? false,
    }));
    const config = this.#holdConfig(source);
    if (!source.isBuiltIn) await firstLoad(config, source);

    const pool = this.#createPool(resources);
    const web = await WebServer.open(flags, log, this.#webParts(pool, exporters, resources));
    listening.resolve(web.localAddress);
    this.#began('http', () => web.close());
    this.#announce(web, source);
    this.#metrics.start();
    this.#began('metrics', () => this.#metrics.stop());

    pool.start();
    this.#began('queries', () => pool.close(flags.duration('web.shutdown-grace')));
    if (exporters) this.#began('exporters', () => exporters.close());
    this.#watchMemory(pool, resources);
    const loaded = source.isBuiltIn ? firstLoad(config, source) : Promise.resolve();
    // Awaited below; until then a failure of the database may end the start first.
    loaded.catch(() => undefined);

    const db = await this.#openDb(resources);
    const [report] = await Promise.all([db.replay(), loaded]);
    this.#corruptionCount = report.segments.reduce((sum, { damageCount }) => sum + damageCount, 0);
    pool.open(db);
    this.#receiver = new WriteReceiver(db.appender, this.#host, this.#metrics.registry);
    this.#startScraping(db, config);
    this.#state = 'ready';
    log.info({ durationMs: Math.round(this.#host.clock.nowMs() - this.#startMs) }, 'server is ready');
  }

  /** Ends what was started, last first. Called once. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    for (const { name, close } of this.#parts.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ part: name, err: errorText(error) }, 'could not be ended cleanly');
      }
    }
  }

  #began(name: string, close: Part['close']): void {
    this.#parts.push({ name, close });
  }

  #holdConfig(source: ChosenSource): ConfigHolder {
    const users = [(config: LoadedConfig): void => this.#scraper?.apply(config)];
    const { clock } = this.#host;
    const holder = new ConfigHolder({ source, users, clock, log: this.#log, metrics: this.#metrics.registry });
    this.#config = holder;
    const onHangup = (): void => {
      holder.reload().then(
        () => this.#log.info({ config: source.fileName }, 'configuration reloaded'),
        (error: unknown) => this.#log.error({ err: errorText(error) }, 'configuration not reloaded; the old one stays'),
      );
    };
    process.on('SIGHUP', onHangup);
    this.#began('reload', () => void process.off('SIGHUP', onHangup));
    return holder;
  }

  #createPool(resources: Resources): QueryPool {
    const flags = this.#flags;
    const maxConcurrency = flags.number('query.max-concurrency');
    const pool = new QueryPool({
      workerCount: resources.workerCount,
      maxConcurrency,
      timeoutMs: flags.duration('query.timeout'),
      limits: { heapMb: resources.workerHeapMb, youngMb: WORKER_YOUNG_MB, stackMb: WORKER_STACK_MB },
      setup: {
        engine: engineOptions(flags, resources),
        responseBytesMax: flags.bytes('query.max-response-size'),
      },
      log: this.#log,
      observer: this.#metrics,
    });
    this.#metrics.watchPool(() => pool.figures, maxConcurrency);
    return pool;
  }

  async #openDb(resources: Resources): Promise<Db> {
    const db = await Db.open(dbOptions(this.#flags, resources), this.#host, this.#metrics.registry);
    this.#db = db;
    this.#began('database', () => db.close());
    return db;
  }

  #startScraping(db: Db, config: ConfigHolder): void {
    const scraper = new ScrapeManager({
      appender: db.appender,
      host: this.#host,
      fetcher: new HttpFetcher(this.#host.clock),
      metrics: this.#metrics.registry,
      options: { userAgent: `Narthex/${VERSION}`, hostName: hostname() },
    });
    this.#scraper = scraper;
    this.#began('scraping', () => scraper.stop());
    if (config.current) scraper.apply(config.current);
  }

  #webParts(pool: QueryPool, exporters: ExporterClient | undefined, resources: Resources): WebParts {
    const { clock } = this.#host;
    return {
      pool,
      exporters,
      metrics: this.#metrics,
      scraper: () => ready(this.#scraper),
      receiver: () => ready(this.#receiver),
      notReady: () => (this.#state === 'ready' ? undefined : this.#state),
      status: {
        startMs: this.#startMs,
        nowMs: () => clock.nowMs(),
        flags: this.#flags,
        configYaml: () => this.#config?.current?.yaml ?? '',
        lastReload: () => ({
          isSuccess: this.#config?.isLastReloadGood ?? false,
          timeMs: this.#config?.lastGoodReloadMs ?? 0,
        }),
        dbStats: () => this.#db?.stats(),
        corruptionCount: () => this.#corruptionCount,
        walReplay: () => {
          const progress = this.#db?.replayProgress;
          const { minSegment: min = 0, maxSegment: max = 0, currentSegment: current = 0 } = progress ?? {};
          return { min, max, current };
        },
        memoryBudgetBytes: resources.budgetBytes,
        threadCount: () => 1 + resources.workerCount + (exporters ? 1 : 0),
      },
      lifecycle: {
        isEnabled: this.#flags.bool('web.enable-lifecycle'),
        isReady: () => this.#state === 'ready',
        progressText: () => this.#progressText(),
        reload: async () => void (await ready(this.#config).reload()),
        quit: this.#requestStop,
      },
    };
  }

  #progressText(): string {
    if (this.#state === 'stopping') return 'stopping';
    const progress = this.#db?.replayProgress;
    if (!progress) return 'starting';
    const { currentSegment, maxSegment, readBytes, totalBytes } = progress;
    const percent = totalBytes === 0 ? 100 : Math.floor((readBytes / totalBytes) * 100);
    return `replaying the write-ahead log, segment ${currentSegment} of ${maxSegment}, ${percent}%`;
  }

  #announce(web: WebServer, source: ChosenSource): void {
    const folder = this.#flags.text('storage.tsdb.path');
    this.#log.info({ address: web.addresses.join(','), config: source.fileName, data: folder }, 'listening');
    if (web.isExposed) {
      this.#log.warn(
        { address: web.addresses.join(',') },
        'other machines can reach this server; it asks for no password',
      );
    }
    process.stdout.write(`Narthex ${VERSION}: open ${web.pageUrl}\n`);
    process.stdout.write(`  configuration: ${source.description}\n  data: ${folder}\n`);
  }

  #watchMemory(pool: QueryPool, { budgetBytes }: Resources): void {
    const timer = setInterval(() => {
      void residentBytes().then((bytes) => {
        const isShort = bytes > budgetBytes * MEMORY_FULL_SHARE;
        if (isShort !== pool.isMemoryShort) {
          const message = isShort ? 'memory budget used up: no new queries' : 'queries are taken again';
          this.#log.warn({ residentBytes: bytes, budgetBytes }, message);
        }
        pool.isMemoryShort = isShort;
      });
    }, MEMORY_CHECK_MS);
    timer.unref();
    this.#began('memory watch', () => clearInterval(timer));
  }
}

/** The first configuration must be good: a bad one ends the start. */
async function firstLoad(config: ConfigHolder, source: ChosenSource): Promise<void> {
  try {
    await config.reload();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new StartError(EXIT.usage, `Error loading config (--config.file=${source.fileName}): ${error.message}`, {
      cause: error,
    });
  }
}

function ready<T>(part: T | undefined): T {
  if (part === undefined) throw new CodedError('unavailable', 'the server is not ready yet');
  return part;
}

/** Flags of an agent do not go with a server. */
function checkMode(flags: Flags): void {
  if (flags.bool('agent')) return;
  const wrong = FLAGS.filter(({ name, agentOnly }) => agentOnly && flags.isSet(name)).map(({ name }) => `--${name}`);
  if (wrong.length === 0) return;
  const list = wrong.map((name) => JSON.stringify(name)).join(' ');
  throw new StartError(EXIT.wrongMode, `The following flag(s) can not be used in server mode: [${list}]`);
}

/** A bug of ours on the main thread: told, then the process ends (E5). */
function endOnBugs(log: Log): void {
  const end = (error: unknown): void => {
    log.error({ err: error instanceof Error ? error : String(error) }, 'unexpected error; the process ends');
    process.exit(EXIT.failure);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

/** The first signal asks for an orderly end, the second ends at once, which is as safe as a kill (D1). */
function stopOnSignals(log: Log, stop: AbortController): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(EXIT.failure);
      log.warn({ signal }, 'signal received');
      stop.abort();
    });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
