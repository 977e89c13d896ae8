import { counter, gauge } from '../collector.ts';
import type { Family } from '../collector.ts';

const cpu = (name: string, help: string, ...labels: string[]): Family =>
  counter(`container_cpu_${name}`, help, ...labels);
const memory = (name: string, help: string, ...labels: string[]): Family =>
  gauge(`container_memory_${name}`, help, ...labels);
const spec = (name: string, help: string): Family => gauge(`container_spec_${name}`, help);
const pressure = (name: string, help: string): Family => counter(`container_pressure_${name}_seconds_total`, help);

/**
 * What is read from a container's cgroup, under cAdvisor's names. Every series also has `id` (the cgroup's path) and,
 * where the engine knows the container, `name`, `image` and the allowed `container_label_*`.
 */
export const CGROUP = {
  cpuUsage: cpu('usage_seconds_total', 'Seconds of processor time used.', 'cpu'),
  cpuUser: cpu('user_seconds_total', 'Seconds of processor time used in user mode.'),
  cpuSystem: cpu('system_seconds_total', 'Seconds of processor time used in the kernel.'),
  cfsPeriods: cpu('cfs_periods_total', 'Periods in which the cpu quota was counted.'),
  cfsThrottledPeriods: cpu('cfs_throttled_periods_total', 'Periods in which the quota ran out.'),
  cfsThrottledSeconds: cpu('cfs_throttled_seconds_total', 'Seconds for which tasks were held back by the quota.'),
  cfsBurstPeriods: cpu('cfs_burst_periods_total', 'Periods in which more than the quota was used.'),
  cfsBurstSeconds: cpu('cfs_burst_seconds_total', 'Seconds used beyond the quota.'),

  memoryUsage: memory('usage_bytes', 'Memory in use, page cache included.'),
  memoryWorkingSet: memory('working_set_bytes', 'Memory in use without inactive file pages.'),
  memoryRss: memory('rss', 'Anonymous memory in bytes.'),
  memoryCache: memory('cache', 'Page cache in bytes, shared memory included.'),
  memoryMapped: memory('mapped_file', 'Mapped files in bytes.'),
  memorySwap: memory('swap', 'Swap in use, in bytes.'),
  memoryKernel: memory('kernel_usage', 'Kernel memory in bytes.'),
  memoryMax: memory('max_usage_bytes', 'The most memory that was in use.'),
  memoryFailures: counter('container_memory_failcnt', 'Times the memory limit was hit.'),
  memoryActiveFile: memory('total_active_file_bytes', 'Active file pages.'),
  memoryInactiveFile: memory('total_inactive_file_bytes', 'Inactive file pages.'),
  memoryFaults: counter('container_memory_failures_total', 'Page faults.', 'failure_type', 'scope'),
  memoryEventsHigh: counter('container_memory_events_high_total', 'Times memory went over memory.high.'),
  memoryEventsMax: counter('container_memory_events_max_total', 'Times memory was about to go over memory.max.'),
  memoryDirty: memory('file_dirty_bytes', 'File pages that wait to be written.'),
  memoryWriteback: memory('file_writeback_bytes', 'File pages being written.'),
  memoryPgscan: counter('container_memory_pgscan_total', 'Pages scanned for reclaim.'),
  memoryPgsteal: counter('container_memory_pgsteal_total', 'Pages reclaimed.'),
  memoryRefaultFile: counter('container_memory_workingset_refault_file_total', 'File pages needed again soon.'),
  memoryRefaultAnon: counter('container_memory_workingset_refault_anon_total', 'Anonymous pages needed again soon.'),
  oomEvents: counter('container_oom_events_total', 'Processes killed because memory ran out.'),

  fsReadsBytes: counter('container_fs_reads_bytes_total', 'Bytes read from a device.', 'device'),
  fsWritesBytes: counter('container_fs_writes_bytes_total', 'Bytes written to a device.', 'device'),
  fsReads: counter('container_fs_reads_total', 'Reads from a device.', 'device'),
  fsWrites: counter('container_fs_writes_total', 'Writes to a device.', 'device'),
  blkio: counter(
    'container_blkio_device_usage_total',
    'Bytes of block I/O by kind of operation.',
    'device',
    'major',
    'minor',
    'operation',
  ),

  threads: gauge('container_threads', 'Processes and threads, as the pids controller counts them.'),
  threadsMax: gauge('container_threads_max', 'The most processes and threads allowed; 0 is no limit.'),
  pidsMaxEvents: counter('container_pids_max_events_total', 'Forks refused because of the pids limit.'),

  specCpuPeriod: spec('cpu_period', 'Period of the cpu quota in microseconds.'),
  specCpuQuota: spec('cpu_quota', 'Cpu quota per period in microseconds; absent without a limit.'),
  specCpuShares: spec('cpu_shares', 'Cpu shares; computed from the weight on cgroup v2.'),
  specMemoryLimit: spec('memory_limit_bytes', 'Memory limit; 0 is no limit.'),
  specMemorySwapLimit: spec('memory_swap_limit_bytes', 'Swap limit (v2), memory and swap (v1); 0 is no limit.'),
  specMemoryReservation: spec('memory_reservation_limit_bytes', 'Memory kept for the container; 0 is none.'),

  cpuWaiting: pressure('cpu_waiting', 'Seconds in which some task waited for a processor.'),
  cpuStalled: pressure('cpu_stalled', 'Seconds in which every task waited for a processor.'),
  memoryWaiting: pressure('memory_waiting', 'Seconds in which some task waited for memory.'),
  memoryStalled: pressure('memory_stalled', 'Seconds in which every task waited for memory.'),
  ioWaiting: pressure('io_waiting', 'Seconds in which some task waited for I/O.'),
  ioStalled: pressure('io_stalled', 'Seconds in which every task waited for I/O.'),
} as const;

/** A limit as bytes, 0 for none: `max`, or the number near 2^63 that v1 writes. */
export function limitBytes(text: string): number {
  const value = Number(text.trim());
  return value === value && value < 2 ** 62 ? value : 0;
}
