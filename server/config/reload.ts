import { errorText } from '../../util/errors.ts';
import type { Clock, Log } from '../../util/host.ts';
import type { Counter, MetricRegistry } from '../../util/metrics.ts';
import { loadConfig, type LoadedConfig } from './load.ts';

/** Where the configuration comes from: a file that is read anew at each reload, or the built-in text. */
export interface ConfigSource {
  readonly fileName: string;
  read(): Promise<string>;
}

/** A part of the server that works by the configuration. Called only with one that was checked as a whole. */
export type ConfigUser = (config: LoadedConfig) => void;

/**
 * Holds the configuration in force. A reload reads and checks all of the new one first; on any error nothing changes
 * (reliability L2). Reloads run one after the other.
 */
export class ConfigHolder {
  readonly #source: ConfigSource;
  readonly #users: readonly ConfigUser[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #success: Counter;
  readonly #successTime: Counter;
  #current: LoadedConfig | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isLastGood = false;
  #lastGoodMs = 0;

  constructor(deps: {
    readonly source: ConfigSource;
    readonly users: readonly ConfigUser[];
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: MetricRegistry;
  }) {
    this.#source = deps.source;
    this.#users = deps.users;
    this.#clock = deps.clock;
    this.#log = deps.log;
    const prefix = 'prometheus_config_last_reload';
    this.#success = deps.metrics.gauge(
      `${prefix}_successful`,
      'Whether the last configuration reload attempt was successful.',
    );
    this.#successTime = deps.metrics.gauge(
      `${prefix}_success_timestamp_seconds`,
      'Timestamp of the last successful configuration reload.',
    );
  }

  /** undefined before the first `reload` succeeded. */
  get current(): LoadedConfig | undefined {
    return this.#current;
  }

  get isLastReloadGood(): boolean {
    return this.#isLastGood;
  }

  /** Wall clock ms; 0 before the first. */
  get lastGoodReloadMs(): number {
    return this.#lastGoodMs;
  }

  /** Reads, checks and applies. Rejects with ConfigError, or with what reading failed with; then nothing changed. */
  reload(): Promise<LoadedConfig> {
    const next = this.#last.then(() => this.#reloadOnce());
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #reloadOnce(): Promise<LoadedConfig> {
    try {
      const config = loadConfig(await this.#source.read(), this.#source.fileName, process.env);
      this.#apply(config);
      this.#current = config;
      this.#isLastGood = true;
      this.#lastGoodMs = this.#clock.nowMs();
      this.#success.set(1);
      this.#successTime.set(this.#lastGoodMs / 1000);
      for (const warning of config.warnings) this.#log.warn({ warning }, 'configuration');
      return config;
    } catch (error) {
      this.#isLastGood = false;
      this.#success.set(0);
      throw error;
    }
  }

  /** When a user of the new configuration cannot take it, those before it get the old one back. */
  #apply(config: LoadedConfig): void {
    const done: ConfigUser[] = [];
    try {
      for (const user of this.#users) {
        done.push(user);
        user(config);
      }
    } catch (error) {
      const before = this.#current;
      if (before !== undefined) for (const user of done) user(before);
      this.#log.error({ err: errorText(error) }, 'configuration could not be applied');
      throw error;
    }
  }
}
