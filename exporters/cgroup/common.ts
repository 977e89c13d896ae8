import type { Family, SampleSet } from '../collector.ts';
import type { FileReader } from '../files.ts';
import { parsePressure } from '../host/memory.ts';
import { tryNumber } from '../numbers.ts';
import { CGROUP } from './families.ts';

/** The cgroup that is read, and what its series carry. */
export interface CgroupTarget {
  readonly files: FileReader;
  /** Rendered labels, never empty: `id` is always there. */
  readonly labels: string;
  /** Rendered label `device="/dev/<name>"` for `major:minor`; the number itself where no such device is known. */
  readonly deviceLabel: (number: string) => string;
}

const PRESSURES: readonly (readonly [string, Family, Family])[] = [
  ['cpu', CGROUP.cpuWaiting, CGROUP.cpuStalled],
  ['memory', CGROUP.memoryWaiting, CGROUP.memoryStalled],
  ['io', CGROUP.ioWaiting, CGROUP.ioStalled],
];

/** Pressure stall information of a v2 directory. */
export function addPressure({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  for (const [resource, waiting, stalled] of PRESSURES) {
    const text = files.tryText(`${directory}/${resource}.pressure`);
    if (text === undefined) continue;
    const { some, full } = parsePressure(text);
    if (some !== undefined) out.add(waiting, labels, some);
    if (full !== undefined) out.add(stalled, labels, full);
  }
}

/** The pids controller's files, the same in v1 and v2. */
export function readPids({ files, labels }: CgroupTarget, directory: string, out: SampleSet): void {
  const current = tryNumber(files.tryText(`${directory}/pids.current`));
  if (current === undefined) return;
  out.add(CGROUP.threads, labels, current);
  out.add(CGROUP.threadsMax, labels, tryNumber(files.tryText(`${directory}/pids.max`)) ?? 0);
  const refused = /^max (\d+)$/m.exec(files.tryText(`${directory}/pids.events`) ?? '')?.[1];
  if (refused !== undefined) out.add(CGROUP.pidsMaxEvents, labels, Number(refused));
}
