import type { Labels } from '../model/labels.ts';
import { compileRelabel } from '../model/relabel.ts';
import type { ScrapeConfig } from './config.ts';
import type { TargetGroup } from './discovery/static.ts';
import { type LoopContext, ScrapeLoop } from './loop.ts';
import { buildTargets } from './target.ts';

/** The targets of one job, a loop each. */
export class ScrapePool {
  readonly jobName: string;
  readonly #context: LoopContext;
  readonly #loops = new Map<string, ScrapeLoop>();
  /** Loops of targets that are gone, until their markers are written. */
  readonly #retiring = new Set<ScrapeLoop>();
  #dropped: readonly Labels[] = [];
  #config: ScrapeConfig;
  #groups: readonly TargetGroup[] = [];

  constructor(config: ScrapeConfig, context: LoopContext) {
    this.jobName = config.jobName;
    this.#config = config;
    this.#context = context;
  }

  get config(): ScrapeConfig {
    return this.#config;
  }

  get loops(): readonly ScrapeLoop[] {
    return [...this.#loops.values()];
  }

  get droppedCount(): number {
    return this.#dropped.length;
  }

  /** Discovered labels of dropped targets, at most keep_dropped_targets of them. */
  get dropped(): readonly Labels[] {
    const { keepDroppedTargets } = this.#config;
    return keepDroppedTargets === 0 ? this.#dropped : this.#dropped.slice(0, keepDroppedTargets);
  }

  /** Brings the loops in line with a configuration and its target groups. Targets that stay are not disturbed. */
  apply(config: ScrapeConfig, groups: readonly TargetGroup[]): void {
    const { metrics, host } = this.#context;
    metrics.poolSyncs.inc(1, this.jobName);
    const configChanged = config !== this.#config;
    this.#config = config;
    this.#groups = groups;
    const rules = config.relabel.map((rule) => compileRelabel(rule, config.nameValidation));
    const { active, dropped, errors } = buildTargets(config, rules, groups);
    this.#dropped = dropped;
    for (const err of errors) host.log.error({ scrapePool: this.jobName, err }, 'target cannot be scraped');
    const wanted = new Map(active.map((target) => [target.key, target]));
    for (const [key, loop] of this.#loops) {
      if (wanted.has(key)) continue;
      this.#loops.delete(key);
      this.#retiring.add(loop);
      void loop.retire(() => this.#retiring.delete(loop));
    }
    for (const [key, target] of wanted) {
      const loop = this.#loops.get(key);
      if (loop === undefined) this.#add(key, new ScrapeLoop(target, config, this.#context));
      else if (configChanged || loop.target.intervalMs !== target.intervalMs) loop.replace(target, config);
    }
    this.#checkTargetLimit();
    metrics.poolTargets.set(this.#loops.size, this.jobName);
  }

  /** The job is gone: its targets get their markers in time. Resolves when all are written or `stop` was called. */
  retire(): void {
    this.apply(this.#config, []);
    this.#context.metrics.poolTargets.remove(this.jobName);
  }

  get isEmpty(): boolean {
    return this.#loops.size === 0 && this.#retiring.size === 0;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#loops.values(), ...this.#retiring].map((loop) => loop.stop()));
  }

  /** The groups last applied. */
  get groups(): readonly TargetGroup[] {
    return this.#groups;
  }

  #add(key: string, loop: ScrapeLoop): void {
    this.#loops.set(key, loop);
    loop.start();
  }

  #checkTargetLimit(): void {
    const { targetLimit } = this.#config;
    const count = this.#loops.size;
    const isExceeded = targetLimit > 0 && count > targetLimit;
    if (isExceeded) this.#context.metrics.targetLimit.inc();
    const text = `target_limit exceeded (number of targets: ${count}, limit: ${targetLimit})`;
    for (const loop of this.#loops.values()) loop.forcedError = isExceeded ? text : undefined;
  }
}
