import { labelText } from '../util/metrics.ts';
import { collectV1 } from './cgroup/v1.ts';
import { collectV2 } from './cgroup/v2.ts';
import type { CgroupTarget } from './cgroup/common.ts';
import { CGROUP } from './cgroup/families.ts';
import { findCgroups, isInnerPart, parseProcCgroup, readLayout, readProcesses } from './cgroup/paths.ts';
import type { CgroupEntry, CgroupLayout } from './cgroup/paths.ts';
import { counter, gauge } from './collector.ts';
import type { CollectorContext, SampleSet } from './collector.ts';
import { CONTAINER_STATES } from './docker/containers.ts';
import type { DockerContainer, DockerContainers } from './docker/containers.ts';
import { readDeviceNames } from './host/disk.ts';
import { collectMachine, MACHINE, MachineDisks } from './machine.ts';
import { tryNumber } from './numbers.ts';
import { collectTraffic, namespaceOf, NETWORK, SocketReader } from './procnet/namespace.ts';

/** What is known about a container beside its controllers' files. */
const CONTAINER = {
  scrapeError: gauge('container_scrape_error', 'Whether the containers could not be listed.'),
  lastSeen: gauge('container_last_seen', 'When the container was last seen, in seconds since the epoch.'),
  startTime: gauge('container_start_time_seconds', 'When it started, in seconds since the epoch.'),
  creationTime: gauge('container_creation_time_seconds', 'When its cgroup was made, in seconds since the epoch.'),
  processes: gauge('container_processes', 'Processes.'),
  fileDescriptors: gauge('container_file_descriptors', 'Open file descriptors of its processes.'),
  ulimits: gauge('container_ulimits_soft', 'Soft limits of its first process; -1 is no limit.', 'ulimit'),
  health: gauge('container_health_state', '1 healthy, 0 starting or unhealthy, -1 without a health check.'),
  races: counter(
    'narthex_container_read_races_total',
    'Times a container vanished or could not be understood while it was read.',
  ),
  dockerUp: gauge('docker_up', 'Whether the Docker engine answered last time; absent when none ever did.'),
  dockerContainers: gauge('docker_containers', "The engine's containers by state.", 'state'),
} as const;

export const CONTAINER_FAMILIES = [CONTAINER, CGROUP, NETWORK, MACHINE].flatMap((group) => Object.values(group));

const TICKS_PER_SECOND = 100;
/** How long the cgroup mounts that were found are taken to be the same. */
const LAYOUT_MS = 60_000;
/** Processes of one container whose open files are counted; the rest of a fork bomb is not worth the time. */
const FD_PROCESSES_MAX = 256;

/** A container between scrapes. */
interface Known {
  readonly entry: CgroupEntry;
  readonly docker: DockerContainer | undefined;
  readonly labels: string;
  pid: number;
  /** Directory per v1 controller, `unified` and `tree`. */
  directories: ReadonlyMap<string, string>;
}

/** Reads every container's cgroup, network namespace and processes. */
export class ContainerCollector {
  readonly #context: CollectorContext;
  readonly #docker: DockerContainers | undefined;
  #known = new Map<string, Known>();
  readonly #sockets: SocketReader;
  readonly #disks: MachineDisks;
  #layout: CgroupLayout | undefined;
  #layoutMs = 0;
  #races = 0;

  constructor(context: CollectorContext, docker: DockerContainers | undefined) {
    this.#context = context;
    this.#docker = docker;
    this.#sockets = new SocketReader(context);
    this.#disks = new MachineDisks(context);
  }

  /** Where cgroups are mounted; mounts hardly change, and mountinfo has a line for every container. */
  layout(): CgroupLayout {
    const now = performance.now();
    if (this.#layout?.tree === undefined || now - this.#layoutMs > LAYOUT_MS) {
      this.#layout = readLayout(this.#context);
      this.#layoutMs = now;
    }
    return this.#layout;
  }

  /** Adds all container and machine metrics. Rejects only when nothing at all can be read. */
  async collect(out: SampleSet): Promise<void> {
    const layout = this.layout();
    const { tree } = layout;
    out.add(CONTAINER.scrapeError, '', tree === undefined ? 1 : 0);
    collectMachine(this.#context, this.#docker?.engineVersion ?? '', out);
    if (tree !== undefined) {
      const entries = findCgroups(this.#context.files, tree);
      this.#forgetRestarted(entries);
      await this.#docker?.prepare(entries.flatMap((entry) => (hasProcesses(entry) ? entry.containerId! : [])));
      this.#collectAll(layout, entries, out);
      await this.#disks.collect(labelText({ id: '/' }), out);
    }
    this.#addEngine(out);
    out.add(CONTAINER.races, '', this.#races);
  }

  #forgetRestarted(entries: readonly CgroupEntry[]): void {
    for (const { path, inode, containerId } of entries) {
      const before = this.#known.get(path);
      if (before && before.entry.inode !== inode && containerId !== undefined) this.#docker?.forget(containerId);
    }
  }

  #collectAll(layout: CgroupLayout, entries: readonly CgroupEntry[], out: SampleSet): void {
    const current = new Map<string, Known>();
    for (const entry of entries) current.set(entry.path, this.#know(layout, entry));
    for (const [path, known] of this.#known) {
      const still = current.get(path);
      if (still?.entry.inode === known.entry.inode) continue;
      for (const directory of known.directories.values()) this.#context.files.forget(directory);
    }
    this.#known = current;
    const devices = readDeviceNames(this.#context);
    const deviceLabel = (number: string): string => {
      const name = devices.get(number);
      return labelText({ device: name === undefined ? number : `/dev/${name}` });
    };
    for (const known of current.values()) {
      const target: CgroupTarget = { files: this.#context.files, labels: known.labels, deviceLabel };
      this.#guard(() => {
        if (layout.isV2) collectV2(target, known.directories.get('tree')!, out);
        else collectV1(target, (controller) => known.directories.get(controller), out);
        if (known.entry.path === '/') this.#addRoot(layout, known.labels, out);
        else if (hasProcesses(known.entry)) this.#addProcesses(known, out);
      });
    }
    this.#addNetworks(current.values(), out);
  }

  /** One container that cannot be read is counted and does not cost the others their figures. */
  #guard(read: () => void): void {
    try {
      read();
    } catch {
      this.#races++;
    }
  }

  /** What was known about the cgroup, or what a first look says. */
  #know(layout: CgroupLayout, entry: CgroupEntry): Known {
    const docker = hasProcesses(entry) ? this.#docker?.get(entry.containerId!) : undefined;
    const before = this.#known.get(entry.path);
    if (before?.entry.inode === entry.inode && before.docker === docker) return before;
    const id = labelText({ id: entry.path });
    const labels = docker ? `${id},${docker.labels}` : `${id}${fallbackName(entry)}`;
    const pid = docker?.pid || this.#firstProcess(layout, entry);
    const known: Known = { entry, docker, labels, pid, directories: new Map() };
    known.directories = this.#directoriesOf(layout, known);
    return known;
  }

  #firstProcess(layout: CgroupLayout, { path, containerId }: CgroupEntry): number {
    if (containerId === undefined) return 0;
    return readProcesses(this.#context.files, `${layout.tree}${path}`)?.[0] ?? 0;
  }

  /** A cgroup's directory per controller: from its first process where controllers differ, else the same everywhere. */
  #directoriesOf(layout: CgroupLayout, { entry, pid }: Known): Map<string, string> {
    const path = entry.path === '/' ? '' : entry.path;
    const directories = new Map<string, string>();
    if (layout.tree !== undefined) directories.set('tree', layout.tree + path);
    if (layout.isV2) return directories;
    const text = pid > 0 ? this.#context.files.tryTextOnce(`${this.#context.paths.procfs}/${pid}/cgroup`) : undefined;
    const own = parseProcCgroup(text ?? '');
    for (const [controller, mount] of layout.controllers) {
      directories.set(controller, mount + (own.get(controller) ?? path));
    }
    if (layout.unified !== undefined) {
      const unified = layout.unified + (own.get('') ?? path);
      // A hybrid host may leave the container out of the v2 tree: then this would be a parent's pressure.
      if (own.get('') !== '/' || path === '') directories.set('unified', unified);
    }
    return directories;
  }

  #addProcesses(known: Known, out: SampleSet): void {
    const { files, paths } = this.#context;
    const { labels, entry, docker } = known;
    const pids = readProcesses(files, known.directories.get('tree')!);
    if (pids === undefined) {
      this.#races++;
      return;
    }
    if (!pids.includes(known.pid)) known.pid = pids[0] ?? 0;
    out.add(CONTAINER.lastSeen, labels, Math.floor(this.#context.nowMs() / 1000));
    out.add(CONTAINER.creationTime, labels, entry.modifiedMs / 1000);
    const started = docker?.startedSeconds ?? this.#startOf(known.pid) ?? entry.modifiedMs / 1000;
    out.add(CONTAINER.startTime, labels, started);
    out.add(CONTAINER.processes, labels, pids.length);
    let descriptors = 0;
    for (let i = 0; i < pids.length && i < FD_PROCESSES_MAX; i++) {
      descriptors += this.#openFiles(`${paths.procfs}/${pids[i]}/fd`);
    }
    out.add(CONTAINER.fileDescriptors, labels, descriptors);
    const limit = /^Max open files +(\S+)/m.exec(files.tryTextOnce(`${paths.procfs}/${known.pid}/limits`) ?? '')?.[1];
    if (limit !== undefined) out.add(CONTAINER.ulimits, `${labels},ulimit="max_open_files"`, tryNumber(limit) ?? -1);
    if (docker) out.add(CONTAINER.health, labels, healthState(docker));
  }

  /** Since kernel 6.2 the size of the directory is the count; before it is 0 and the entries are counted. */
  #openFiles(directory: string): number {
    const size = this.#context.files.tryStat(directory)?.size ?? 0;
    return size > 0 && size < 4096 ? size : this.#context.files.list(directory).length;
  }

  /** When a process started: field 22 of its stat, in ticks since boot. */
  #startOf(pid: number): number | undefined {
    const { files, paths } = this.#context;
    const stat = files.tryTextOnce(`${paths.procfs}/${pid}/stat`);
    const boot = /^btime (\d+)$/m.exec(files.tryText(`${paths.procfs}/stat`) ?? '')?.[1];
    // The name in brackets may hold spaces and brackets.
    const ticks = tryNumber(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return ticks === undefined || boot === undefined ? undefined : Number(boot) + ticks / TICKS_PER_SECOND;
  }

  #addRoot(layout: CgroupLayout, labels: string, out: SampleSet): void {
    out.add(CONTAINER.lastSeen, labels, Math.floor(this.#context.nowMs() / 1000));
    collectTraffic(this.#context, 1, labels, out);
    // The v2 root has no memory.current; what looks like the root inside a container has.
    if (!layout.isV2 || this.#context.files.tryStat(`${layout.tree}/memory.current`) !== undefined) return;
    const meminfo = this.#context.files.tryText(`${this.#context.paths.procfs}/meminfo`) ?? '';
    const field = (name: string): number =>
      Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
    const usage = field('MemTotal') - field('MemFree');
    out.add(CGROUP.memoryUsage, labels, usage);
    out.add(CGROUP.memoryWorkingSet, labels, Math.max(0, usage - field('Inactive\\(file\\)')));
  }

  /** Every namespace once, for the container that owns it; the host's own namespace never. */
  #addNetworks(all: Iterable<Known>, out: SampleSet): void {
    const host = namespaceOf(this.#context, 1) ?? namespaceOf(this.#context, 'self');
    const seen = new Set<string>();
    const joins = ({ docker }: Known): number => (docker?.networkMode.startsWith('container:') ? 1 : 0);
    const containers = [...all].filter(({ pid, entry }) => pid > 0 && hasProcesses(entry));
    for (const known of containers.sort((a, b) => joins(a) - joins(b) || a.pid - b.pid)) {
      if (known.docker?.networkMode === 'host') continue;
      const namespace = namespaceOf(this.#context, known.pid);
      // Without the right to read the link, only the engine can say that the namespace is the container's own.
      if (namespace === undefined && (!known.docker || joins(known) === 1)) continue;
      if (namespace !== undefined && (namespace === host || seen.has(namespace))) continue;
      if (namespace !== undefined) seen.add(namespace);
      this.#guard(() => {
        collectTraffic(this.#context, known.pid, known.labels, out);
        this.#sockets.collect(known.pid, namespace, known.labels, out);
      });
    }
    this.#sockets.finish();
  }

  #addEngine(out: SampleSet): void {
    if (!this.#docker?.wasUp) return;
    out.add(CONTAINER.dockerUp, '', this.#docker.isUp ? 1 : 0);
    if (!this.#docker.isUp) return;
    const states = new Map<string, number>(CONTAINER_STATES.map((state) => [state, 0]));
    for (const { state } of this.#docker.all()) states.set(state, (states.get(state) ?? 0) + 1);
    for (const [state, count] of states) out.add(CONTAINER.dockerContainers, labelText({ state }), count);
  }
}

/** A container no engine knows is called by the short form of its id, so that it can be told apart on a graph. */
function fallbackName(entry: CgroupEntry): string {
  return hasProcesses(entry) ? `,name="${entry.containerId?.slice(0, 12)}"` : '';
}

/** Whether a cgroup stands for a container: pods and the inner part of podman's containers have its figures only. */
function hasProcesses({ path, containerId }: CgroupEntry): boolean {
  return containerId !== undefined && !isInnerPart(path);
}

function healthState({ health }: DockerContainer): number {
  if (health === 'none') return -1;
  return health === 'healthy' ? 1 : 0;
}
