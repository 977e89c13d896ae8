import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { numberOf, tryNumber, words } from '../numbers.ts';

const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const GUEST_MODES = ['user', 'nice'] as const;
const IDLE = 3;
/** /proc counts in ticks of 1/100 s on every architecture. */
const USER_HZ = 100;
/** An idle counter that falls by more than this is a processor that was taken out and put back, not jitter. */
const HOTPLUG_FALL_SECONDS = 3;

const SECONDS = counter('node_cpu_seconds_total', 'Seconds the processors spent in each mode.', 'cpu', 'mode');
const GUEST_SECONDS = counter(
  'node_cpu_guest_seconds_total',
  'Seconds the processors spent in guests (virtual machines); also counted in user and nice.',
  'cpu',
  'mode',
);
const ONLINE = gauge('node_cpu_online', 'Whether a processor is online.', 'cpu');
const CORE_THROTTLES = counter(
  'node_cpu_core_throttles_total',
  'Times a core was slowed down because it was hot.',
  'package',
  'core',
);
const PACKAGE_THROTTLES = counter(
  'node_cpu_package_throttles_total',
  'Times a package was slowed down because it was hot.',
  'package',
);

interface CpuState {
  readonly labels: readonly string[];
  readonly guestLabels: readonly string[];
  readonly seconds: Float64Array;
}

/** Processor time by mode, from /proc/stat. */
export function createCpuCollector({ files, paths }: CollectorContext): Collector {
  const states = new Map<string, CpuState>();

  function collect(out: SampleSet): void {
    for (const line of files.text(`${paths.procfs}/stat`).split('\n')) {
      if (!/^cpu\d/.test(line)) continue;
      const fields = words(line);
      const cpu = fields[0]!.slice(3);
      const state = states.get(cpu) ?? createState(cpu);
      states.set(cpu, state);
      holdSteps(state.seconds, fields);
      for (let i = 0; i < MODES.length; i++) out.add(SECONDS, state.labels[i]!, state.seconds[i]!);
      for (let i = 0; i < GUEST_MODES.length; i++) {
        out.add(GUEST_SECONDS, state.guestLabels[i]!, state.seconds[MODES.length + i]!);
      }
    }
    if (states.size === 0) throw new Error(`${paths.procfs}/stat: no cpu lines`);
    addOnline(out);
    addThrottles(out);
  }

  /** Only where every processor says so, as node_exporter: on x86 the first one cannot be taken offline. */
  function addOnline(out: SampleSet): void {
    const base = `${paths.sysfs}/devices/system/cpu`;
    const names = files.list(base).filter((name) => /^cpu\d+$/.test(name));
    const states = names.map((name) => tryNumber(files.tryText(`${base}/${name}/online`)));
    if (states.includes(undefined)) return;
    for (let i = 0; i < names.length; i++) out.add(ONLINE, labelText({ cpu: names[i]!.slice(3) }), states[i]!);
  }

  function addThrottles(out: SampleSet): void {
    const packages = new Map<string, number>();
    const cores = new Map<string, number>();
    for (const cpu of states.keys()) {
      const base = `${paths.sysfs}/devices/system/cpu/cpu${cpu}`;
      const pack = files.tryText(`${base}/topology/physical_package_id`)?.trim();
      const core = files.tryText(`${base}/topology/core_id`)?.trim();
      if (pack === undefined || core === undefined) continue;
      const coreCount = tryNumber(files.tryText(`${base}/thermal_throttle/core_throttle_count`));
      if (coreCount !== undefined) cores.set(labelText({ package: pack, core }), coreCount);
      const packageCount = tryNumber(files.tryText(`${base}/thermal_throttle/package_throttle_count`));
      if (packageCount !== undefined) packages.set(labelText({ package: pack }), packageCount);
    }
    for (const [labels, count] of cores) out.add(CORE_THROTTLES, labels, count);
    for (const [labels, count] of packages) out.add(PACKAGE_THROTTLES, labels, count);
  }

  const families = [SECONDS, GUEST_SECONDS, ONLINE, CORE_THROTTLES, PACKAGE_THROTTLES];
  return { name: 'cpu', families, source: '/proc/stat, /sys/devices/system/cpu', collect };
}

function createState(cpu: string): CpuState {
  return {
    labels: MODES.map((mode) => labelText({ cpu, mode })),
    guestLabels: GUEST_MODES.map((mode) => labelText({ cpu, mode })),
    seconds: new Float64Array(MODES.length + GUEST_MODES.length),
  };
}

/** The kernel's counters (idle and iowait above all) can step back a little: a counter keeps its highest value. */
function holdSteps(seconds: Float64Array, fields: readonly string[]): void {
  const read = (i: number): number => (fields[i + 1] === undefined ? 0 : numberOf(fields[i + 1], 'stat') / USER_HZ);
  const isReplaced = seconds[IDLE]! - read(IDLE) > HOTPLUG_FALL_SECONDS;
  for (let i = 0; i < seconds.length; i++) {
    const value = read(i);
    if (isReplaced || value > seconds[i]!) seconds[i] = value;
  }
}
