import type { Log } from '../../util/host.ts';
import { errorText } from '../../util/errors.ts';
import { labelText } from '../../util/metrics.ts';
import { recordOf } from './engine.ts';
import type { DockerEngine } from './engine.ts';

/** How old the list may get before a scrape asks for a new one in the background. */
const REFRESH_MS = 10_000;
/** How long a scrape waits for the name of a container that was not known. */
const NAME_WAIT_MS = 1500;
/** Ids the engine did not know (other runtimes'), remembered so that they are asked for once. */
const FOREIGN_MAX = 10_000;
const INSPECTS_AT_ONCE = 4;

export const CONTAINER_STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;

/** Container labels that become `container_label_*` unless the list is set: few, and what dashboards group by. */
export const DEFAULT_CONTAINER_LABELS = [
  'com.docker.compose.project',
  'com.docker.compose.service',
  'com.docker.swarm.service.name',
  'com.docker.swarm.task.name',
];

type Health = 'healthy' | 'unhealthy' | 'starting' | 'none';

/** What the engine says about a container. Commands, environment and mounts are not kept. */
export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: string;
  readonly health: Health;
  /** `name`, `image` and the allowed labels, rendered. */
  readonly labels: string;
  /** 0 when it does not run. */
  readonly pid: number;
  readonly startedSeconds: number | undefined;
  /** `bridge`, `host`, `none`, `container:<id>`, or a network's name. */
  readonly networkMode: string;
}

/**
 * The engine's containers, kept between scrapes and renewed beside them. A scrape waits, for a limited time, only
 * when a container appeared that has no name yet. Without an engine it stays empty and `isUp` is false.
 */
export class DockerContainers {
  readonly #engine: DockerEngine;
  readonly #log: Log | undefined;
  readonly #allowedLabels: readonly string[];
  readonly #foreign = new Set<string>();
  #byId: ReadonlyMap<string, DockerContainer> = new Map();
  #refreshing: Promise<void> | undefined;
  #refreshedMs = -Infinity;
  #isUp = false;
  #wasUp = false;
  #wasLogged = false;
  #version = '';

  constructor(engine: DockerEngine, allowedLabels: readonly string[], log?: Log) {
    this.#engine = engine;
    this.#allowedLabels = allowedLabels;
    this.#log = log;
  }

  /** Whether the last call succeeded. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether the engine has ever answered. */
  get wasUp(): boolean {
    return this.#wasUp;
  }

  get engineVersion(): string {
    return this.#version;
  }

  all(): Iterable<DockerContainer> {
    return this.#byId.values();
  }

  get(id: string): DockerContainer | undefined {
    return this.#byId.get(id);
  }

  /** Makes the list fresh enough for these ids; never rejects and never waits longer than NAME_WAIT_MS. */
  async prepare(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#byId.has(id) && !this.#foreign.has(id));
    const age = performance.now() - this.#refreshedMs;
    if (age > REFRESH_MS || (unknown.length > 0 && (this.#isUp || age === Infinity))) void this.refresh();
    if (unknown.length === 0 || !this.#refreshing) return;
    await Promise.race([this.#refreshing, sleep(NAME_WAIT_MS)]);
    if (!this.#isUp) return;
    if (this.#foreign.size > FOREIGN_MAX) this.#foreign.clear();
    for (const id of unknown) if (!this.#byId.has(id)) this.#foreign.add(id);
  }

  /** A container whose cgroup is another one than before was restarted: what is known of it is asked again. */
  forget(id: string): void {
    const byId = new Map(this.#byId);
    byId.delete(id);
    this.#byId = byId;
  }

  /** Reads the list now; one call at a time, never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    try {
      if (this.#version === '') this.#version = (await this.#engine.version()).version;
      const list = await this.#engine.read({ type: 'containers' });
      this.#byId = await this.#decodeList(Array.isArray(list) ? list : []);
      this.#isUp = true;
      this.#wasUp = true;
      this.#wasLogged = false;
    } catch (error) {
      if (!this.#wasLogged) this.#log?.warn({ err: errorText(error) }, 'docker engine does not answer');
      this.#wasLogged = true;
      this.#isUp = false;
      this.#version = '';
    }
    this.#refreshedMs = performance.now();
  }

  async #decodeList(list: readonly unknown[]): Promise<Map<string, DockerContainer>> {
    const byId = new Map<string, DockerContainer>();
    const queue = list.map((entry) => decodeListed(entry, this.#allowedLabels)).filter((entry) => entry !== undefined);
    const next = async (): Promise<void> => {
      for (let listed = queue.shift(); listed !== undefined; listed = queue.shift()) {
        byId.set(listed.id, await this.#inspect(listed));
      }
    };
    await Promise.all(Array.from({ length: INSPECTS_AT_ONCE }, next));
    return byId;
  }

  /** Adds what only the single-container call knows; asked again only after the container was started anew. */
  async #inspect(listed: DockerContainer): Promise<DockerContainer> {
    if (listed.state !== 'running' && listed.state !== 'paused') return listed;
    const known = this.#byId.get(listed.id);
    if (known && known.pid > 0 && known.labels === listed.labels) {
      if (known.health === listed.health && known.state === listed.state) return known;
      return { ...known, health: listed.health, state: listed.state };
    }
    try {
      return decodeInspected(listed, await this.#engine.read({ type: 'container', id: listed.id }));
    } catch (error) {
      this.#log?.debug({ id: listed.id, err: errorText(error) }, 'container vanished before it was inspected');
      return listed;
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** An entry of /containers/json; undefined when it has no usable id. */
function decodeListed(entry: unknown, allowedLabels: readonly string[]): DockerContainer | undefined {
  const {
    Id: id,
    Names: names,
    Image: image,
    State: state,
    Status: status,
    Labels: labels,
    HostConfig: hostConfig,
  } = recordOf(entry);
  if (typeof id !== 'string' || !/^[0-9a-f]{64}$/.test(id)) return undefined;
  const name = pickName(Array.isArray(names) ? names : [], id);
  const imageName = typeof image === 'string' ? image : '';
  const networkMode = recordOf(hostConfig)['NetworkMode'];
  return {
    id,
    name,
    image: imageName,
    state: typeof state === 'string' ? state : '',
    health: healthOf(typeof status === 'string' ? status : ''),
    labels: renderLabels(name, imageName, recordOf(labels), allowedLabels),
    pid: 0,
    startedSeconds: undefined,
    networkMode: typeof networkMode === 'string' ? networkMode : '',
  };
}

/** The name without its slash. A legacy link adds names `/other/alias`: the one without a second slash is its own. */
function pickName(names: readonly unknown[], id: string): string {
  const own = names.find((name) => typeof name === 'string' && name.lastIndexOf('/') === 0);
  return typeof own === 'string' ? own.slice(1) : id.slice(0, 12);
}

/** `Up 5 minutes (healthy)`, `Up 2 seconds (health: starting)`. */
function healthOf(status: string): Health {
  if (status.endsWith('(healthy)')) return 'healthy';
  if (status.endsWith('(unhealthy)')) return 'unhealthy';
  return status.endsWith('(health: starting)') ? 'starting' : 'none';
}

function renderLabels(
  name: string,
  image: string,
  labels: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
): string {
  const rendered: Record<string, string> = { name, image };
  for (const key of allowed.includes('*') ? Object.keys(labels) : allowed) {
    const value = labels[key];
    const label = `container_label_${key.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
    if (typeof value === 'string' && rendered[label] === undefined) rendered[label] = value;
  }
  return labelText(rendered);
}

function decodeInspected(listed: DockerContainer, answer: unknown): DockerContainer {
  const { State: stateField, HostConfig: hostConfig } = recordOf(answer);
  const { Pid: pid, StartedAt: startedAt } = recordOf(stateField);
  const networkMode = recordOf(hostConfig)['NetworkMode'];
  return {
    ...listed,
    pid: typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? pid : 0,
    startedSeconds: typeof startedAt === 'string' ? secondsOfTime(startedAt) : undefined,
    networkMode: typeof networkMode === 'string' ? networkMode : listed.networkMode,
  };
}

/** RFC 3339 to seconds; undefined for the year 1, which is the engine's word for never. */
function secondsOfTime(text: string): number | undefined {
  const ms = Date.parse(text);
  return ms > 0 ? ms / 1000 : undefined;
}
