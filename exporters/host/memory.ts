import { counter, gauge, NoDataError, untyped } from '../collector.ts';
import type { Collector, CollectorContext, Family, SampleSet } from '../collector.ts';
import { numberOf, scaledSeconds, words } from '../numbers.ts';

const MEMINFO = gauge('node_memory_<Field>_bytes', 'One field of meminfo; without `_bytes` where it has no unit.');

/** The fields node_exporter 1.11 knows; the kernel writes a few more (KReclaimable, Hugetlb, Balloon, ...). */
const MEMINFO_FIELDS = new Set(
  `MemTotal MemFree MemAvailable Buffers Cached SwapCached Active Inactive Active(anon) Inactive(anon) Active(file)
  Inactive(file) Unevictable Mlocked SwapTotal SwapFree Zswap Zswapped Dirty Writeback AnonPages Mapped Shmem Slab
  SReclaimable SUnreclaim KernelStack PageTables NFS_Unstable Bounce WritebackTmp CommitLimit Committed_AS VmallocTotal
  VmallocUsed VmallocChunk Percpu HardwareCorrupted AnonHugePages ShmemHugePages ShmemPmdMapped CmaTotal CmaFree
  HugePages_Total HugePages_Free HugePages_Rsvd HugePages_Surp Hugepagesize DirectMap4k DirectMap2M
  DirectMap1G`.split(/\s+/),
);

/** Memory of the machine by use. */
export function createMeminfoCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    let count = 0;
    for (const line of files.text(`${paths.procfs}/meminfo`).split('\n')) {
      const colon = line.indexOf(':');
      if (!MEMINFO_FIELDS.has(line.slice(0, colon))) continue;
      const [value, unit] = words(line.slice(colon + 1));
      const field = line.slice(0, colon).replace('(', '_').replace(')', '');
      const isKilobytes = unit === 'kB';
      const amount = numberOf(value, `meminfo ${field}`) * (isKilobytes ? 1024 : 1);
      out.addNamed(`node_memory_${field}${isKilobytes ? '_bytes' : ''}`, 'gauge', `Field ${field} of meminfo.`, amount);
      count++;
    }
    if (count === 0) throw new Error(`${paths.procfs}/meminfo: empty`);
  }
  return { name: 'meminfo', families: [MEMINFO], source: '/proc/meminfo', collect };
}

const VMSTAT = untyped('node_vmstat_<field>', 'One field of vmstat: paging, swapping, faults and oom kills.');
const VMSTAT_FIELDS = /^(oom_kill|pgpg|pswp|pg.*fault)/;

/** Paging, faults and out-of-memory kills. */
export function createVmstatCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    for (const line of files.text(`${paths.procfs}/vmstat`).split('\n')) {
      if (!VMSTAT_FIELDS.test(line)) continue;
      const [field, value] = words(line);
      out.addNamed(`node_vmstat_${field}`, 'untyped', `Field ${field} of vmstat.`, numberOf(value, `vmstat ${field}`));
    }
  }
  return { name: 'vmstat', families: [VMSTAT], source: '/proc/vmstat', collect };
}

interface PressureSource {
  readonly resource: string;
  readonly some?: Family;
  readonly full?: Family;
}

const PRESSURES: readonly PressureSource[] = [
  {
    resource: 'cpu',
    some: counter('node_pressure_cpu_waiting_seconds_total', 'Seconds in which some task waited for a processor.'),
  },
  {
    resource: 'io',
    some: counter('node_pressure_io_waiting_seconds_total', 'Seconds in which some task waited for I/O.'),
    full: counter('node_pressure_io_stalled_seconds_total', 'Seconds in which every task waited for I/O.'),
  },
  {
    resource: 'memory',
    some: counter('node_pressure_memory_waiting_seconds_total', 'Seconds in which some task waited for memory.'),
    full: counter('node_pressure_memory_stalled_seconds_total', 'Seconds in which every task waited for memory.'),
  },
  {
    resource: 'irq',
    full: counter('node_pressure_irq_stalled_seconds_total', 'Seconds that interrupts took from every task.'),
  },
];

/** Pressure stall information of the machine. */
export function createPressureCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    let count = 0;
    for (const { resource, some, full } of PRESSURES) {
      const text = files.tryText(`${paths.procfs}/pressure/${resource}`);
      if (text === undefined) continue;
      const totals = parsePressure(text);
      if (some && totals.some !== undefined) out.add(some, '', totals.some);
      if (full && totals.full !== undefined) out.add(full, '', totals.full);
      count++;
    }
    if (count === 0) throw new NoDataError('pressure stall information is not available (kernel option psi=1)');
  }
  const families = PRESSURES.flatMap(({ some, full }) => [some, full]).filter((family) => family !== undefined);
  return { name: 'pressure', families, source: '/proc/pressure', collect };
}

/** The totals of a pressure file in seconds: `some` = at least one task waited, `full` = all did. */
export function parsePressure(text: string): { some: number | undefined; full: number | undefined } {
  const total = (kind: string): number | undefined => {
    const micros = new RegExp(`^${kind} .*total=(\\d+)`, 'm').exec(text)?.[1];
    return micros === undefined ? undefined : scaledSeconds(micros, 6);
  };
  return { some: total('some'), full: total('full') };
}
