// hot path: about fifteen small files per container and scrape.
import type { Family, SampleSet } from '../collector.ts';
import { keyValues, scaledSeconds, tryNumber } from '../numbers.ts';
import { addPressure, readPids } from './common.ts';
import type { CgroupTarget } from './common.ts';
import { CGROUP, limitBytes } from './families.ts';

/** Adds what the v2 files of one cgroup say. Files that are not there (controller off) leave their metrics out. */
export function collectV2(target: CgroupTarget, directory: string, out: SampleSet): void {
  addCpu(target, directory, out);
  addMemory(target, directory, out);
  addMemoryLimits(target, directory, out);
  addIo(target, directory, out);
  readPids(target, directory, out);
  addPressure(target, directory, out);
}

function addCpu({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const stat = keyValues(files.tryText(`${directory}/cpu.stat`) ?? '');
  const addSeconds = (family: Family, key: string, ownLabels = labels): void => {
    const value = stat.get(key);
    if (value !== undefined) out.add(family, ownLabels, scaledSeconds(value, 6));
  };
  addSeconds(CGROUP.cpuUsage, 'usage_usec', `${labels},cpu="total"`);
  addSeconds(CGROUP.cpuUser, 'user_usec');
  addSeconds(CGROUP.cpuSystem, 'system_usec');
  const weight = tryNumber(files.tryText(`${directory}/cpu.weight`));
  // How runc turns shares into a weight, backwards.
  if (weight !== undefined) {
    out.add(CGROUP.specCpuShares, labels, 2 + Math.trunc(((weight - 1) * 262_142) / 9999));
  }
  const [quota, period] = files.tryText(`${directory}/cpu.max`)?.trim().split(' ') ?? [];
  const quotaMicros = tryNumber(quota);
  if (quotaMicros === undefined) return;
  out.add(CGROUP.specCpuQuota, labels, quotaMicros);
  out.add(CGROUP.specCpuPeriod, labels, tryNumber(period) ?? 100_000);
  const addCount = (family: Family, key: string): void => {
    const value = tryNumber(stat.get(key));
    if (value !== undefined) out.add(family, labels, value);
  };
  addCount(CGROUP.cfsPeriods, 'nr_periods');
  addCount(CGROUP.cfsThrottledPeriods, 'nr_throttled');
  addSeconds(CGROUP.cfsThrottledSeconds, 'throttled_usec');
  addCount(CGROUP.cfsBurstPeriods, 'nr_bursts');
  addSeconds(CGROUP.cfsBurstSeconds, 'burst_usec');
}

const MEMORY_STAT: readonly (readonly [string, Family])[] = [
  ['anon', CGROUP.memoryRss],
  ['file', CGROUP.memoryCache],
  ['file_mapped', CGROUP.memoryMapped],
  ['active_file', CGROUP.memoryActiveFile],
  ['inactive_file', CGROUP.memoryInactiveFile],
  ['file_dirty', CGROUP.memoryDirty],
  ['file_writeback', CGROUP.memoryWriteback],
  ['pgscan', CGROUP.memoryPgscan],
  ['pgsteal', CGROUP.memoryPgsteal],
  ['workingset_refault_file', CGROUP.memoryRefaultFile],
  ['workingset_refault_anon', CGROUP.memoryRefaultAnon],
];
/** What `kernel` of memory.stat adds up, for kernels before 5.18. */
const KERNEL_PARTS = ['slab', 'kernel_stack', 'pagetables', 'sock', 'percpu'];

function addMemory({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const text = files.tryText(`${directory}/memory.stat`);
  if (text === undefined) return;
  const stat = keyValues(text);
  const usage = tryNumber(files.tryText(`${directory}/memory.current`));
  if (usage !== undefined) {
    out.add(CGROUP.memoryUsage, labels, usage);
    out.add(CGROUP.memoryWorkingSet, labels, Math.max(0, usage - Number(stat.get('inactive_file') ?? 0)));
  }
  for (const [key, family] of MEMORY_STAT) {
    const value = tryNumber(stat.get(key));
    if (value !== undefined) out.add(family, labels, value);
  }
  for (const type of ['pgfault', 'pgmajfault']) {
    const value = tryNumber(stat.get(type));
    if (value === undefined) continue;
    out.add(CGROUP.memoryFaults, `${labels},failure_type="${type}",scope="container"`, value);
    out.add(CGROUP.memoryFaults, `${labels},failure_type="${type}",scope="hierarchy"`, value);
  }
  const parts = KERNEL_PARTS.reduce((sum, key) => sum + Number(stat.get(key) ?? 0), 0);
  out.add(CGROUP.memoryKernel, labels, tryNumber(stat.get('kernel')) ?? parts);
  out.add(CGROUP.memorySwap, labels, tryNumber(files.tryText(`${directory}/memory.swap.current`)) ?? 0);
  // Since kernel 5.19; left out before, because 0 would be wrong.
  const peak = tryNumber(files.tryText(`${directory}/memory.peak`));
  if (peak !== undefined) out.add(CGROUP.memoryMax, labels, peak);
  const events = files.tryText(`${directory}/memory.events`);
  if (events !== undefined) addMemoryEvents(labels, keyValues(events), out);
}

function addMemoryEvents(labels: string, events: ReadonlyMap<string, string>, out: SampleSet): void {
  const add = (family: Family, key: string): void => {
    const value = tryNumber(events.get(key));
    if (value !== undefined) out.add(family, labels, value);
  };
  add(CGROUP.memoryFailures, 'max');
  add(CGROUP.memoryEventsHigh, 'high');
  add(CGROUP.memoryEventsMax, 'max');
  // `oom` counts allocations that failed; only `oom_kill` counts processes that died.
  add(CGROUP.oomEvents, 'oom_kill');
}

function addMemoryLimits({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const limit = files.tryText(`${directory}/memory.max`);
  if (limit !== undefined) out.add(CGROUP.specMemoryLimit, labels, limitBytes(limit));
  const swap = files.tryText(`${directory}/memory.swap.max`);
  if (swap !== undefined) out.add(CGROUP.specMemorySwapLimit, labels, limitBytes(swap));
  const min = files.tryText(`${directory}/memory.min`);
  const low = files.tryText(`${directory}/memory.low`);
  if (min === undefined && low === undefined) return;
  out.add(CGROUP.specMemoryReservation, labels, Math.max(limitBytes(min ?? '0'), limitBytes(low ?? '0')));
}

/** Lines `254:0 rbytes=1 wbytes=2 rios=3 wios=4`: keys in any order, or none at all. A device may have several lines. */
function addIo({ files, labels, deviceLabel }: CgroupTarget, directory: string, out: SampleSet): void {
  const devices = new Map<string, Map<string, number>>();
  for (const line of (files.tryText(`${directory}/io.stat`) ?? '').split('\n')) {
    const [device = '', ...pairs] = line.trim().split(' ');
    if (!/^\d+:\d+$/.test(device) || pairs.length === 0) continue;
    const sums = devices.get(device) ?? new Map<string, number>();
    devices.set(device, sums);
    for (const pair of pairs) {
      const equals = pair.indexOf('=');
      const value = tryNumber(pair.slice(equals + 1));
      if (value !== undefined) sums.set(pair.slice(0, equals), (sums.get(pair.slice(0, equals)) ?? 0) + value);
    }
  }
  for (const [number, sums] of devices) {
    const [major, minor] = number.split(':');
    const device = `${labels},${deviceLabel(number)}`;
    const add = (family: Family, key: string, operation?: string): void => {
      const value = sums.get(key);
      if (value === undefined) return;
      out.add(family, device, value);
      if (operation === undefined) return;
      out.add(CGROUP.blkio, `${device},major="${major}",minor="${minor}",operation="${operation}"`, value);
    };
    add(CGROUP.fsReadsBytes, 'rbytes', 'Read');
    add(CGROUP.fsWritesBytes, 'wbytes', 'Write');
    add(CGROUP.fsReads, 'rios');
    add(CGROUP.fsWrites, 'wios');
  }
}
