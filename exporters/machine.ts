import { labelText } from '../util/metrics.ts';
import { gauge } from './collector.ts';
import type { CollectorContext, SampleSet } from './collector.ts';
import { FilesystemStats } from './host/filesystem.ts';
import { readMounts } from './host/mounts.ts';
import type { Mount } from './host/mounts.ts';

/** The machine below the containers, under cAdvisor's names. */
export const MACHINE = {
  cores: gauge('machine_cpu_cores', 'Logical processors.'),
  physicalCores: gauge('machine_cpu_physical_cores', 'Processor cores.'),
  sockets: gauge('machine_cpu_sockets', 'Processor packages.'),
  memory: gauge('machine_memory_bytes', 'Memory of the machine.'),
  swap: gauge('machine_swap_bytes', 'Swap space of the machine.'),
  version: gauge(
    'cadvisor_version_info',
    'Versions of the kernel, the system and the engine; always 1.',
    'kernelVersion',
    'osVersion',
    'dockerVersion',
    'cadvisorVersion',
    'cadvisorRevision',
  ),
  fsUsage: gauge('container_fs_usage_bytes', 'Bytes in use on a disk of the machine (id="/").', 'device'),
  fsLimit: gauge('container_fs_limit_bytes', 'Size of a disk of the machine (id="/").', 'device'),
  fsInodesFree: gauge('container_fs_inodes_free', 'Free inodes of a disk of the machine (id="/").', 'device'),
  fsInodesTotal: gauge('container_fs_inodes_total', 'Inodes of a disk of the machine (id="/").', 'device'),
} as const;

/** How long the mounts that were found are taken to be the same. */
const MOUNTS_MS = 60_000;

/** Usage of the machine's disks: file systems on a device, each device once. */
export class MachineDisks {
  readonly #context: CollectorContext;
  readonly #stats = new FilesystemStats();
  #mounts: readonly Mount[] = [];
  #readMs = -Infinity;

  constructor(context: CollectorContext) {
    this.#context = context;
  }

  /** Adds what answers in time; a disk that does not is left out. */
  async collect(labels: string, out: SampleSet): Promise<void> {
    const now = performance.now();
    if (now - this.#readMs > MOUNTS_MS) {
      this.#mounts = diskMounts(this.#context);
      this.#readMs = now;
    }
    const pathOf = ({ mountpoint }: Mount): string => `${this.#context.paths.rootfs}${mountpoint}`;
    const usages = await this.#stats.read(this.#mounts.map(pathOf));
    for (const mount of this.#mounts) {
      const usage = usages.get(pathOf(mount));
      if (usage === undefined || typeof usage === 'string') continue;
      const own = `${labels},${labelText({ device: mount.device })}`;
      out.add(MACHINE.fsUsage, own, usage.sizeBytes - usage.freeBytes);
      out.add(MACHINE.fsLimit, own, usage.sizeBytes);
      out.add(MACHINE.fsInodesFree, own, usage.filesFree);
      out.add(MACHINE.fsInodesTotal, own, usage.files);
    }
  }
}

function diskMounts(context: CollectorContext): Mount[] {
  const byDevice = new Map<string, Mount>();
  try {
    for (const mount of readMounts(context)) {
      if (mount.device.startsWith('/dev/') && !byDevice.has(mount.device)) byDevice.set(mount.device, mount);
    }
  } catch {
    // Without the right to read mountinfo there are no disks to show.
  }
  return [...byDevice.values()];
}

export function collectMachine({ files, paths }: CollectorContext, dockerVersion: string, out: SampleSet): void {
  const cpuinfo = files.tryText(`${paths.procfs}/cpuinfo`) ?? '';
  const processors = cpuinfo.split('\n\n').filter((text) => /^processor\s*:/m.test(text));
  if (processors.length > 0) {
    const field = (text: string, name: string): string => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(text)?.[1] ?? '0';
    const packages = processors.map((text) => field(text, 'physical id'));
    const cores = processors.map((text, i) => `${packages[i]}/${field(text, 'core id')}`);
    out.add(MACHINE.cores, '', processors.length);
    out.add(MACHINE.physicalCores, '', new Set(cores).size);
    out.add(MACHINE.sockets, '', new Set(packages).size);
  }
  const meminfo = files.tryText(`${paths.procfs}/meminfo`) ?? '';
  const total = /^MemTotal: +(\d+) kB/m.exec(meminfo)?.[1];
  if (total !== undefined) out.add(MACHINE.memory, '', Number(total) * 1024);
  const swap = /^SwapTotal: +(\d+) kB/m.exec(meminfo)?.[1];
  if (swap !== undefined) out.add(MACHINE.swap, '', Number(swap) * 1024);
  const kernelVersion = files.tryText(`${paths.procfs}/sys/kernel/osrelease`)?.trim() ?? '';
  const osRelease = files.tryText(`${paths.rootfs}/etc/os-release`) ?? '';
  const osVersion = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? '';
  out.add(MACHINE.version, labelText({ kernelVersion, osVersion, dockerVersion }), 1);
}
