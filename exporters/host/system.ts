import { readFileSync } from 'node:fs';
import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { Collector, CollectorContext, Family, SampleSet } from '../collector.ts';
import { numberOf, tryNumber, words } from '../numbers.ts';
import { readZoneRule, zoneName } from './time-zone.ts';

const LOADS = ['1', '5', '15'].map((minutes) => gauge(`node_load${minutes}`, `Load average over ${minutes} minutes.`));

/** Load averages. */
export function createLoadavgCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const fields = words(files.text(`${paths.procfs}/loadavg`));
    for (let i = 0; i < LOADS.length; i++) out.add(LOADS[i]!, '', numberOf(fields[i], 'loadavg'));
  }
  return { name: 'loadavg', families: LOADS, source: '/proc/loadavg', collect };
}

const STAT: Readonly<Record<string, Family>> = {
  btime: gauge('node_boot_time_seconds', 'When the machine started, in seconds since the epoch.'),
  ctxt: counter('node_context_switches_total', 'Context switches.'),
  processes: counter('node_forks_total', 'Processes and threads created.'),
  intr: counter('node_intr_total', 'Interrupts served.'),
  procs_running: gauge('node_procs_running', 'Tasks that run or could run.'),
  procs_blocked: gauge('node_procs_blocked', 'Tasks that wait for I/O.'),
};

/** Counters of the kernel's scheduler. */
export function createStatCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    for (const line of files.text(`${paths.procfs}/stat`).split('\n')) {
      const space = line.indexOf(' ');
      const family = space > 0 ? STAT[line.slice(0, space)] : undefined;
      if (!family) continue;
      const end = line.indexOf(' ', space + 1);
      out.add(family, '', numberOf(line.slice(space + 1, end < 0 ? undefined : end), 'stat'));
    }
  }
  return { name: 'stat', families: Object.values(STAT), source: '/proc/stat', collect };
}

const FILEFD_ALLOCATED = gauge('node_filefd_allocated', 'Open file descriptions of the whole machine.');
const FILEFD_MAXIMUM = gauge('node_filefd_maximum', 'The most open file descriptions the kernel allows.');

/** Open files. */
export function createFilefdCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const fields = words(files.text(`${paths.procfs}/sys/fs/file-nr`));
    out.add(FILEFD_ALLOCATED, '', numberOf(fields[0], 'file-nr'));
    out.add(FILEFD_MAXIMUM, '', numberOf(fields[2], 'file-nr'));
  }
  return { name: 'filefd', families: [FILEFD_ALLOCATED, FILEFD_MAXIMUM], source: '/proc/sys/fs/file-nr', collect };
}

const ENTROPY = gauge('node_entropy_available_bits', 'Bits in the entropy pool.');
const ENTROPY_POOL = gauge('node_entropy_pool_size_bits', 'Size of the entropy pool in bits.');

/** The random number generator's pool. */
export function createEntropyCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const base = `${paths.procfs}/sys/kernel/random`;
    out.add(ENTROPY, '', numberOf(files.text(`${base}/entropy_avail`).trim(), 'entropy_avail'));
    const pool = tryNumber(files.tryText(`${base}/poolsize`));
    if (pool !== undefined) out.add(ENTROPY_POOL, '', pool);
  }
  return { name: 'entropy', families: [ENTROPY, ENTROPY_POOL], source: '/proc/sys/kernel/random', collect };
}

const UNAME = gauge(
  'node_uname_info',
  'The kernel, as uname(2) says; always 1.',
  'sysname',
  'release',
  'version',
  'machine',
  'nodename',
  'domainname',
);
/** The processor's name as uname(2) gives it, from Node's name for it. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686', arm: 'armv7l' };

/** Kernel name and version. From procfs, so that the files of another machine say what that machine is. */
export function createUnameCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const kernel = (name: string): string => files.text(`${paths.procfs}/sys/kernel/${name}`).trim();
    const labels = {
      sysname: kernel('ostype'),
      release: kernel('osrelease'),
      version: kernel('version'),
      machine: MACHINES[process.arch] ?? process.arch,
      nodename: kernel('hostname'),
      domainname: kernel('domainname'),
    };
    out.add(UNAME, labelText(labels), 1);
  }
  return { name: 'uname', families: [UNAME], source: '/proc/sys/kernel', collect };
}

const OS_FIELDS = [
  'build_id',
  'id',
  'id_like',
  'image_id',
  'image_version',
  'name',
  'pretty_name',
  'variant',
  'variant_id',
  'version',
  'version_codename',
  'version_id',
] as const;
const OS_INFO = gauge('node_os_info', 'The distribution, as os-release says; always 1.', ...OS_FIELDS);
const OS_VERSION = gauge('node_os_version', "The distribution's version as major.minor.", 'id', 'id_like', 'name');

/** The distribution. */
export function createOsCollector({ paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const release = parseOsRelease(readOsRelease(paths.rootfs));
    const labels: Record<string, string> = {};
    for (const field of OS_FIELDS) labels[field] = release.get(field.toUpperCase()) ?? '';
    out.add(OS_INFO, labelText(labels), 1);
    const version = /^\d+(\.\d+)?/.exec(labels['version_id'] ?? '')?.[0];
    if (version === undefined) return;
    const { id = '', id_like = '', name = '' } = labels;
    out.add(OS_VERSION, labelText({ id, id_like, name }), Number(version));
  }
  return { name: 'os', families: [OS_INFO, OS_VERSION], source: '/etc/os-release, /usr/lib/os-release', collect };
}

function readOsRelease(rootfs: string): string {
  try {
    return readFileSync(`${rootfs}/etc/os-release`, 'utf8');
  } catch {
    return readFileSync(`${rootfs}/usr/lib/os-release`, 'utf8');
  }
}

function parseOsRelease(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*))$/.exec(line.trim());
    if (!match) continue;
    const quoted = match[2]?.replace(/\\(.)/g, '$1');
    values.set(match[1]!, quoted ?? match[3] ?? match[4] ?? '');
  }
  return values;
}

const TIME = gauge('node_time_seconds', 'The clock, in seconds since the epoch.');
const ZONE = gauge('node_time_zone_offset_seconds', 'Seconds that local time is ahead of UTC.', 'time_zone');
const CLOCKS = gauge('node_time_clocksource_available_info', 'A clock the kernel could use.', 'device', 'clocksource');
const CLOCK = gauge('node_time_clocksource_current_info', 'The clock the kernel uses.', 'device', 'clocksource');

/** The clock and its source. */
export function createTimeCollector({ files, paths, nowMs }: CollectorContext): Collector {
  const devices = `${paths.sysfs}/devices/system/clocksource`;
  const zoneRule = readZoneRule();

  function collect(out: SampleSet): void {
    const now = nowMs();
    out.add(TIME, '', now / 1000);
    const offsetSeconds = 0 - new Date(now).getTimezoneOffset() * 60;
    out.add(ZONE, labelText({ time_zone: zoneName(zoneRule, offsetSeconds) }), offsetSeconds);
    for (const name of files.list(devices)) {
      const device = /^clocksource(\d+)$/.exec(name)?.[1];
      if (device === undefined) continue;
      const available = files.tryText(`${devices}/${name}/available_clocksource`) ?? '';
      for (const clocksource of words(available)) {
        if (clocksource !== '') out.add(CLOCKS, labelText({ device, clocksource }), 1);
      }
      const clocksource = files.tryText(`${devices}/${name}/current_clocksource`)?.trim() ?? '';
      if (clocksource !== '') out.add(CLOCK, labelText({ device, clocksource }), 1);
    }
  }
  const families = [TIME, ZONE, CLOCKS, CLOCK];
  return { name: 'time', families, source: 'clock, /sys/devices/system/clocksource', collect };
}
