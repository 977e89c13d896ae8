// hot path: about twenty small files per container and scrape.
import type { SampleSet } from '../collector.ts';
import { keyValues, scaledSeconds, tryNumber } from '../numbers.ts';
import { addPressure, readPids } from './common.ts';
import type { CgroupTarget } from './common.ts';
import { CGROUP, limitBytes } from './families.ts';

const USER_HZ = 100;

/**
 * Adds what the v1 controllers say about one cgroup. `directory` gives the cgroup's directory of a controller, or
 * undefined where it is not mounted. Files that are not there leave their metrics out.
 */
export function collectV1(
  target: CgroupTarget,
  directory: (controller: string) => string | undefined,
  out: SampleSet,
): void {
  const cpuacct = directory('cpuacct');
  if (cpuacct !== undefined) addCpuTime(target, cpuacct, out);
  const cpu = directory('cpu');
  if (cpu !== undefined) addCpuLimits(target, cpu, out);
  const memory = directory('memory');
  if (memory !== undefined) addMemory(target, memory, out);
  const blkio = directory('blkio');
  if (blkio !== undefined) addBlockIo(target, blkio, out);
  const pids = directory('pids');
  if (pids !== undefined) readPids(target, pids, out);
  // A hybrid host keeps pressure in the v2 tree beside the v1 controllers.
  const unified = directory('unified');
  if (unified !== undefined) addPressure(target, unified, out);
}

function addCpuTime({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const perCpu = files.tryText(`${directory}/cpuacct.usage_percpu`)?.trim().split(' ') ?? [];
  for (let i = 0; i < perCpu.length; i++) {
    const seconds = scaledSeconds(perCpu[i]!, 9);
    if (seconds > 0) out.add(CGROUP.cpuUsage, `${labels},cpu="cpu${String(i).padStart(2, '0')}"`, seconds);
  }
  const user = files.tryText(`${directory}/cpuacct.usage_user`)?.trim();
  const system = files.tryText(`${directory}/cpuacct.usage_sys`)?.trim();
  if (user !== undefined && system !== undefined) {
    out.add(CGROUP.cpuUser, labels, scaledSeconds(user, 9));
    out.add(CGROUP.cpuSystem, labels, scaledSeconds(system, 9));
    return;
  }
  const stat = keyValues(files.tryText(`${directory}/cpuacct.stat`) ?? '');
  const userTicks = tryNumber(stat.get('user'));
  const systemTicks = tryNumber(stat.get('system'));
  if (userTicks !== undefined) out.add(CGROUP.cpuUser, labels, userTicks / USER_HZ);
  if (systemTicks !== undefined) out.add(CGROUP.cpuSystem, labels, systemTicks / USER_HZ);
}

function addCpuLimits({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const shares = tryNumber(files.tryText(`${directory}/cpu.shares`));
  if (shares !== undefined) out.add(CGROUP.specCpuShares, labels, shares);
  const period = tryNumber(files.tryText(`${directory}/cpu.cfs_period_us`));
  if (period !== undefined) out.add(CGROUP.specCpuPeriod, labels, period);
  const quota = tryNumber(files.tryText(`${directory}/cpu.cfs_quota_us`));
  if (quota === undefined || quota < 0) return;
  out.add(CGROUP.specCpuQuota, labels, quota);
  const stat = keyValues(files.tryText(`${directory}/cpu.stat`) ?? '');
  const add = (family: (typeof CGROUP)[keyof typeof CGROUP], key: string, isTime = false): void => {
    const value = stat.get(key);
    if (value !== undefined) out.add(family, labels, isTime ? scaledSeconds(value, 9) : Number(value));
  };
  add(CGROUP.cfsPeriods, 'nr_periods');
  add(CGROUP.cfsThrottledPeriods, 'nr_throttled');
  add(CGROUP.cfsThrottledSeconds, 'throttled_time', true);
  add(CGROUP.cfsBurstPeriods, 'nr_bursts');
  add(CGROUP.cfsBurstSeconds, 'burst_time', true);
}

/** Keys of memory.stat that become a metric of their own; the `total_` ones count the cgroups below too. */
const MEMORY_STAT = [
  ['total_rss', CGROUP.memoryRss],
  ['total_cache', CGROUP.memoryCache],
  ['total_mapped_file', CGROUP.memoryMapped],
  ['total_swap', CGROUP.memorySwap],
  ['total_active_file', CGROUP.memoryActiveFile],
  ['total_inactive_file', CGROUP.memoryInactiveFile],
  ['total_dirty', CGROUP.memoryDirty],
  ['total_writeback', CGROUP.memoryWriteback],
  ['total_workingset_refault_file', CGROUP.memoryRefaultFile],
  ['total_workingset_refault_anon', CGROUP.memoryRefaultAnon],
] as const;

const FAULTS = [
  ['pgfault', 'failure_type="pgfault",scope="container"'],
  ['total_pgfault', 'failure_type="pgfault",scope="hierarchy"'],
  ['pgmajfault', 'failure_type="pgmajfault",scope="container"'],
  ['total_pgmajfault', 'failure_type="pgmajfault",scope="hierarchy"'],
] as const;

function addMemory(target: CgroupTarget, directory: string, out: SampleSet): void {
  const { files, labels } = target;
  const file = (name: string): number | undefined => tryNumber(files.tryText(`${directory}/memory.${name}`));
  const stat = keyValues(files.tryText(`${directory}/memory.stat`) ?? '');
  const usage = file('usage_in_bytes');
  if (usage !== undefined) {
    out.add(CGROUP.memoryUsage, labels, usage);
    const inactive = Number(stat.get('total_inactive_file') ?? 0);
    out.add(CGROUP.memoryWorkingSet, labels, Math.max(0, usage - inactive));
  }
  for (const [key, family] of MEMORY_STAT) {
    const value = tryNumber(stat.get(key));
    if (value !== undefined) out.add(family, labels, value);
    else if (key === 'total_swap' && usage !== undefined) out.add(family, labels, 0);
  }
  for (const [key, kind] of FAULTS) {
    const value = tryNumber(stat.get(key));
    if (value !== undefined) out.add(CGROUP.memoryFaults, `${labels},${kind}`, value);
  }
  const kernel = file('kmem.usage_in_bytes');
  if (kernel !== undefined) out.add(CGROUP.memoryKernel, labels, kernel);
  const max = file('max_usage_in_bytes');
  if (max !== undefined) out.add(CGROUP.memoryMax, labels, max);
  const failures = file('failcnt');
  if (failures !== undefined) out.add(CGROUP.memoryFailures, labels, failures);
  addMemoryLimits(target, directory, out);
}

function addMemoryLimits({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const kills = /^oom_kill (\d+)$/m.exec(files.tryText(`${directory}/memory.oom_control`) ?? '')?.[1];
  if (kills !== undefined) out.add(CGROUP.oomEvents, labels, Number(kills));
  const limit = files.tryText(`${directory}/memory.limit_in_bytes`);
  if (limit !== undefined) out.add(CGROUP.specMemoryLimit, labels, limitBytes(limit));
  const swapLimit = files.tryText(`${directory}/memory.memsw.limit_in_bytes`);
  if (swapLimit !== undefined) out.add(CGROUP.specMemorySwapLimit, labels, limitBytes(swapLimit));
  const reservation = files.tryText(`${directory}/memory.soft_limit_in_bytes`);
  if (reservation !== undefined) out.add(CGROUP.specMemoryReservation, labels, limitBytes(reservation));
}

function addBlockIo(target: CgroupTarget, directory: string, out: SampleSet): void {
  for (const { device, major, minor, operation, value } of readBlkio(target, directory, 'io_service_bytes')) {
    const labels = `${target.labels},${device}`;
    if (operation === 'Read') out.add(CGROUP.fsReadsBytes, labels, value);
    if (operation === 'Write') out.add(CGROUP.fsWritesBytes, labels, value);
    out.add(CGROUP.blkio, `${labels},major="${major}",minor="${minor}",operation="${operation}"`, value);
  }
  for (const { device, operation, value } of readBlkio(target, directory, 'io_serviced')) {
    const labels = `${target.labels},${device}`;
    if (operation === 'Read') out.add(CGROUP.fsReads, labels, value);
    if (operation === 'Write') out.add(CGROUP.fsWrites, labels, value);
  }
}

interface BlkioLine {
  /** Rendered label. */
  readonly device: string;
  readonly major: string;
  readonly minor: string;
  readonly operation: string;
  readonly value: number;
}

/** Lines `254:0 Read 4096`; the last one is the total over all devices. BFQ counts in files of its own. */
function readBlkio({ files, deviceLabel }: CgroupTarget, directory: string, kind: string): BlkioLine[] {
  for (const policy of ['throttle', 'bfq']) {
    const lines = parseBlkio(files.tryText(`${directory}/blkio.${policy}.${kind}_recursive`) ?? '', deviceLabel);
    if (lines.length > 0) return lines;
  }
  return [];
}

function parseBlkio(text: string, deviceLabel: CgroupTarget['deviceLabel']): BlkioLine[] {
  const lines: BlkioLine[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):(\d+) ([A-Z][a-z]+) (\d+)$/.exec(line);
    if (!match) continue;
    const [, major = '', minor = '', operation = '', value = ''] = match;
    lines.push({ device: deviceLabel(`${major}:${minor}`), major, minor, operation, value: Number(value) });
  }
  return lines;
}
