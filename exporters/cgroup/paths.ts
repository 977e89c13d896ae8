import { readdirSync } from 'node:fs';
import type { CollectorContext } from '../collector.ts';
import type { FileReader } from '../files.ts';
import { readMounts } from '../host/mounts.ts';
import type { Mount } from '../host/mounts.ts';

const DEPTH_MAX = 16;
/** Cgroups looked at in one walk; a host with more shows the first ones. */
const CGROUPS_MAX = 20_000;
/** Cgroups inside one container that are looked through for its processes. */
const INNER_MAX = 256;
const CONTAINER = /(?:^|[-/:])([0-9a-f]{64})(?:\.scope)?(?:\/container)?$/;
/** The monitor process that CRI-O and podman put beside a container. */
const MONITOR = /\/(?:crio|libpod)-conmon-[0-9a-f]{64}/;
const POD = /\/kubepods[^/]*(?:\/[^/]+)?\/(?:[^/]*-)?pod[0-9a-f]{8}[0-9a-f_-]{4,}(?:\.slice)?$/;
const CGROUP_HOME = '/sys/fs/cgroup';

/** Where each controller's tree is mounted. */
export interface CgroupLayout {
  /** v1 controllers by name (`cpu`, `memory`, ...). */
  readonly controllers: ReadonlyMap<string, string>;
  /** The v2 tree: the only one on a v2 host, beside v1 controllers on a hybrid host. */
  readonly unified: string | undefined;
  /** Whether the controllers of containers are the v2 ones. */
  readonly isV2: boolean;
  /** The tree whose directories say which containers exist. */
  readonly tree: string | undefined;
}

/** Where cgroups are mounted, from mountinfo: names of directories are never assumed. */
export function readLayout(context: CollectorContext): CgroupLayout {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const mount of tryMounts(context)) {
    if (mount.fstype !== 'cgroup' && mount.fstype !== 'cgroup2') continue;
    const directory = localPath(mount.mountpoint, context);
    if (mount.fstype === 'cgroup2') unified ??= directory;
    else for (const option of mount.superOptions) if (!controllers.has(option)) controllers.set(option, directory);
  }
  const { cgroup } = context.paths;
  if (unified === undefined && context.files.tryStat(`${cgroup}/cgroup.controllers`)) unified = cgroup;
  const isV2 = !controllers.has('memory') && !controllers.has('cpuacct') && unified !== undefined;
  const first = ['cpuacct', 'memory', 'cpu', 'pids', 'blkio'].find((name) => controllers.has(name));
  return { controllers, unified, isV2, tree: isV2 ? unified : first && controllers.get(first) };
}

function tryMounts(context: CollectorContext): Mount[] {
  try {
    return readMounts(context);
  } catch {
    return [];
  }
}

/** A path of the host as this process reaches it: below --path.cgroup, else below --path.rootfs. */
function localPath(mountpoint: string, { paths }: CollectorContext): string {
  if (mountpoint === CGROUP_HOME) return paths.cgroup;
  if (mountpoint.startsWith(`${CGROUP_HOME}/`)) return `${paths.cgroup}${mountpoint.slice(CGROUP_HOME.length)}`;
  return `${paths.rootfs}${mountpoint}`;
}

/** A cgroup that is shown: the root, a pod's or a container's. */
export interface CgroupEntry {
  /** Path from the top of the tree, `/` for the root. */
  readonly path: string;
  /** The container's id, undefined for the root and pods. */
  readonly containerId: string | undefined;
  /** The directory's inode: another one under the same path is another cgroup. */
  readonly inode: number;
  readonly modifiedMs: number;
}

/** The container id in a cgroup's path; undefined when it is no container's. */
export function containerIdOf(path: string): string | undefined {
  if (MONITOR.test(path)) return undefined;
  return CONTAINER.exec(path)?.[1];
}

/** Walks a tree and returns its root, pods and containers. Directories that vanish during the walk are left out. */
export function findCgroups(files: FileReader, tree: string): CgroupEntry[] {
  const found: CgroupEntry[] = [];
  let visited = 0;

  function visit(path: string, depth: number): void {
    const stat = files.tryStat(tree + path);
    if (!stat || ++visited > CGROUPS_MAX) return;
    const containerId = containerIdOf(path);
    if (depth === 0 || containerId !== undefined || POD.test(path)) {
      found.push({ path: path || '/', containerId, inode: stat.ino, modifiedMs: stat.mtimeMs });
    }
    // Two links: no directories below, so the 60 files of a cgroup need not be listed.
    if (stat.nlink === 2 || depth === DEPTH_MAX) return;
    for (const name of directoriesIn(tree + path)) visit(`${path}/${name}`, depth + 1);
  }

  visit('', 0);
  return found;
}

function directoriesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether a cgroup is the inner part of a container whose own cgroup is the directory above, as podman's `container`. */
export function isInnerPart(path: string): boolean {
  return path.endsWith('/container') && containerIdOf(path) !== undefined;
}

/**
 * The processes of a container's cgroup; of the cgroups below where it has none of its own, as when systemd or podman moved
 * them. Undefined when the cgroup is gone.
 */
export function readProcesses(files: FileReader, directory: string): number[] | undefined {
  const text = files.tryText(`${directory}/cgroup.procs`);
  if (text === undefined) return undefined;
  const pids = text.split('\n').flatMap((line) => (/^[1-9]\d*$/.test(line) ? Number(line) : []));
  if (pids.length > 0) return pids;
  for (const path of cgroupsBelow(files, directory)) {
    const below = files.tryTextOnce(`${path}/cgroup.procs`) ?? '';
    for (const line of below.split('\n')) if (/^[1-9]\d*$/.test(line)) pids.push(Number(line));
  }
  return pids;
}

function cgroupsBelow(files: FileReader, directory: string): string[] {
  const found: string[] = [];
  const queue = [directory];
  for (let path = queue.pop(); path !== undefined && found.length < INNER_MAX; path = queue.pop()) {
    if (files.tryStat(path)?.nlink === 2) continue;
    for (const name of directoriesIn(path)) {
      found.push(`${path}/${name}`);
      queue.push(`${path}/${name}`);
    }
  }
  return found;
}

/** A process' cgroup path per v1 controller, and '' for v2: lines `4:memory:/docker/<id>`, `0::/docker/<id>`. */
export function parseProcCgroup(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (!match) continue;
    // A private cgroup namespace hides where the cgroup is.
    if (match[2]!.startsWith('/..')) continue;
    for (const controller of match[1]!.split(',')) paths.set(controller, match[2]!);
  }
  return paths;
}
