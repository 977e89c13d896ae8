import { labelText } from '../util/metrics.ts';
import { gauge } from './collector.ts';
import type { CollectorContext, SampleSet } from './collector.ts';

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
} as const;

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
