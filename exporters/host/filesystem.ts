import { statfs } from 'node:fs/promises';
import { labelText } from '../../util/metrics.ts';
import { gauge } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { readMounts } from './mounts.ts';
import type { Mount } from './mounts.ts';

const MOUNTPOINTS_IGNORED =
  /^\/(dev|proc|run\/credentials\/.+|sys|var\/lib\/docker\/.+|var\/lib\/containers\/storage\/.+)($|\/)/;
const FSTYPES_IGNORED =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$/;
/** How long a scrape waits for a mount that does not answer. */
const STATFS_WAIT_MS = 5000;
/**
 * Calls in flight per kind of mount (local, remote): each holds one of libuv's threads, which the write-ahead log needs
 * too, and dead servers must not use up what the local disks need.
 */
const STATFS_PENDING_MAX = 2;
const REMOTE = /^(nfs|cifs|smb|fuse|ceph|gluster|lustre|9p|afs|ocfs|gfs|beegfs|virtiofs)/;

const LABELS = ['device', 'device_error', 'fstype', 'mountpoint'];
const SIZE = gauge('node_filesystem_size_bytes', 'Size of the file system.', ...LABELS);
const FREE = gauge('node_filesystem_free_bytes', 'Free bytes.', ...LABELS);
const AVAIL = gauge('node_filesystem_avail_bytes', 'Free bytes that users without privileges may fill.', ...LABELS);
const FILES = gauge('node_filesystem_files', 'Inodes of the file system.', ...LABELS);
const FILES_FREE = gauge('node_filesystem_files_free', 'Free inodes.', ...LABELS);
const READONLY = gauge('node_filesystem_readonly', 'Whether it is mounted read-only.', ...LABELS);
const ERROR = gauge('node_filesystem_device_error', 'Whether the file system failed to answer.', ...LABELS);
const PURGEABLE = gauge('node_filesystem_purgeable_bytes', 'Bytes the system would give back; 0 on Linux.', ...LABELS);
const INFO = gauge('node_filesystem_mount_info', 'A mount; always 1.', 'device', 'major', 'minor', 'mountpoint');
const FAMILIES = [SIZE, FREE, AVAIL, FILES, FILES_FREE, READONLY, ERROR, PURGEABLE, INFO];

/** What statfs(2) says, in bytes and inodes. */
export interface FilesystemUsage {
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly availBytes: number;
  readonly files: number;
  readonly filesFree: number;
}

export type StatfsCall = (path: string) => Promise<FilesystemUsage>;

/**
 * statfs(2) that cannot stall a scrape: one call per mount in flight, a limited wait, and a mount whose call is still
 * out answers with an error at once.
 */
export class FilesystemStats {
  readonly #pending = new Set<string>();
  readonly #call: StatfsCall;
  readonly #waitMs: number;

  constructor(call: StatfsCall = callStatfs, waitMs = STATFS_WAIT_MS) {
    this.#call = call;
    this.#waitMs = waitMs;
  }

  /** Usage per path, or the text of what went wrong. */
  async read(paths: readonly string[]): Promise<Map<string, FilesystemUsage | string>> {
    const results = new Map<string, FilesystemUsage | string>();
    const queue = paths.filter((path) => !results.has(path) && results.set(path, 'timeout'));
    const giveUp = AbortSignal.timeout(this.#waitMs);
    const timedOut = new Promise<void>((resolve) => giveUp.addEventListener('abort', () => resolve(), { once: true }));
    const next = async (): Promise<void> => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        if (giveUp.aborted) return;
        if (this.#pending.has(path) || this.#pending.size >= STATFS_PENDING_MAX) continue;
        await this.#readOne(path, results);
      }
    };
    const lanes = Array.from({ length: STATFS_PENDING_MAX - this.#pending.size }, next);
    await Promise.race([Promise.all(lanes), timedOut]);
    return new Map(results);
  }

  async #readOne(path: string, results: Map<string, FilesystemUsage | string>): Promise<void> {
    this.#pending.add(path);
    try {
      results.set(path, await this.#call(path));
    } catch (error) {
      results.set(path, reasonOf(error));
    } finally {
      this.#pending.delete(path);
    }
  }
}

/** Space and inodes of the mounted file systems. */
export function createFilesystemCollector(context: CollectorContext): Collector {
  const local = new FilesystemStats();
  const remote = new FilesystemStats();
  const { rootfs } = context.paths;

  async function collect(out: SampleSet): Promise<void> {
    const mounts = distinctMounts(readMounts(context), rootfs);
    const isRemote = ({ fstype }: Mount): boolean => REMOTE.test(fstype);
    const pathOf = ({ mountpoint }: Mount): string => `${rootfs}${mountpoint}`;
    const [near, far] = await Promise.all([
      local.read(mounts.filter((mount) => !isRemote(mount)).map(pathOf)),
      remote.read(mounts.filter(isRemote).map(pathOf)),
    ]);
    for (const mount of mounts) {
      addMount(out, mount, (isRemote(mount) ? far : near).get(pathOf(mount)) ?? 'timeout');
    }
  }
  return { name: 'filesystem', families: FAMILIES, source: '/proc/1/mountinfo, statfs(2)', collect };
}

function addMount(out: SampleSet, mount: Mount, usage: FilesystemUsage | string): void {
  const { device, fstype, mountpoint, major, minor } = mount;
  const failed = typeof usage === 'string';
  const labels = labelText({ device, device_error: failed ? usage : '', fstype, mountpoint });
  out.add(ERROR, labels, failed ? 1 : 0);
  out.add(READONLY, labels, mount.isReadonly ? 1 : 0);
  if (failed) return;
  out.add(SIZE, labels, usage.sizeBytes);
  out.add(FREE, labels, usage.freeBytes);
  out.add(AVAIL, labels, usage.availBytes);
  out.add(FILES, labels, usage.files);
  out.add(FILES_FREE, labels, usage.filesFree);
  out.add(PURGEABLE, labels, 0);
  out.add(INFO, labelText({ device, major, minor, mountpoint }), 1);
}

/** Mounts worth showing, each once; a path below `rootfs` is shown as the host sees it. */
function distinctMounts(mounts: readonly Mount[], rootfs: string): Mount[] {
  const seen = new Map<string, Mount>();
  for (const mount of mounts) {
    const mountpoint = stripRoot(mount.mountpoint, rootfs);
    if (MOUNTPOINTS_IGNORED.test(mountpoint) || FSTYPES_IGNORED.test(mount.fstype)) continue;
    seen.set(`${mount.device}\n${mountpoint}\n${mount.fstype}`, { ...mount, mountpoint });
  }
  return [...seen.values()];
}

function stripRoot(mountpoint: string, rootfs: string): string {
  if (rootfs === '' || !`${mountpoint}/`.startsWith(`${rootfs}/`)) return mountpoint;
  return mountpoint.slice(rootfs.length) || '/';
}

async function callStatfs(path: string): Promise<FilesystemUsage> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
  return {
    sizeBytes: blocks * bsize,
    freeBytes: bfree * bsize,
    availBytes: bavail * bsize,
    files,
    filesFree: ffree,
  };
}

/** The system's words without the path, as node_exporter has them in the label. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    ENOENT: 'no such file or directory',
    EIO: 'input/output error',
    ESTALE: 'stale NFS file handle',
    ENOTCONN: 'transport endpoint is not connected',
  };
  return reasons[code] ?? (code === '' ? 'unknown error' : code);
}
