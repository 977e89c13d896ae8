import { labelText } from '../../util/metrics.ts';
import { counter, gauge } from '../collector.ts';
import type { Collector, CollectorContext, Family, SampleSet } from '../collector.ts';
import { numberOf, tryNumber, words } from '../numbers.ts';

/** The kernel counts sectors of 512 bytes whatever the disk has. */
const SECTOR_BYTES = 512;
const IGNORED = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;

/** The columns after the device's name, with what one unit is worth; older kernels have fewer. */
const COLUMNS: readonly (readonly [Family, number])[] = [
  [counter('node_disk_reads_completed_total', 'Reads completed.', 'device'), 1],
  [counter('node_disk_reads_merged_total', 'Reads merged with a neighbour.', 'device'), 1],
  [counter('node_disk_read_bytes_total', 'Bytes read.', 'device'), SECTOR_BYTES],
  [counter('node_disk_read_time_seconds_total', 'Seconds that all reads took.', 'device'), 0.001],
  [counter('node_disk_writes_completed_total', 'Writes completed.', 'device'), 1],
  [counter('node_disk_writes_merged_total', 'Writes merged with a neighbour.', 'device'), 1],
  [counter('node_disk_written_bytes_total', 'Bytes written.', 'device'), SECTOR_BYTES],
  [counter('node_disk_write_time_seconds_total', 'Seconds that all writes took.', 'device'), 0.001],
  [gauge('node_disk_io_now', 'Requests in flight.', 'device'), 1],
  [counter('node_disk_io_time_seconds_total', 'Seconds in which the disk was busy.', 'device'), 0.001],
  [counter('node_disk_io_time_weighted_seconds_total', 'Seconds busy, times requests in flight.', 'device'), 0.001],
  [counter('node_disk_discards_completed_total', 'Discards completed.', 'device'), 1],
  [counter('node_disk_discards_merged_total', 'Discards merged with a neighbour.', 'device'), 1],
  [counter('node_disk_discarded_sectors_total', 'Sectors discarded.', 'device'), 1],
  [counter('node_disk_discard_time_seconds_total', 'Seconds that all discards took.', 'device'), 0.001],
  [counter('node_disk_flush_requests_total', 'Flushes completed.', 'device'), 1],
  [counter('node_disk_flush_requests_time_seconds_total', 'Seconds that all flushes took.', 'device'), 0.001],
];
const INFO = gauge(
  'node_disk_info',
  'A block device; always 1.',
  'device',
  'major',
  'minor',
  'model',
  'path',
  'revision',
  'rotational',
  'serial',
  'wwn',
);

/** Block devices. What only the udev database knows (model, serial, wwn) is left out. */
export function createDiskstatsCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    for (const line of files.text(`${paths.procfs}/diskstats`).split('\n')) {
      const [major, minor, device, ...values] = words(line);
      if (device === undefined || major === undefined || minor === undefined || IGNORED.test(device)) continue;
      out.add(INFO, labelText({ device, major, minor, rotational: rotationalOf(device) }), 1);
      const labels = labelText({ device });
      for (let i = 0; i < COLUMNS.length && i < values.length; i++) {
        const [family, unit] = COLUMNS[i]!;
        const count = numberOf(values[i], `diskstats ${device}`);
        out.add(family, labels, count * unit);
      }
    }
  }
  /** As node_exporter: it reads the queue's folder whole, so a device without `io_timeout` (virtio) counts as 0. */
  function rotationalOf(device: string): string {
    const queue = `${paths.sysfs}/block/${device}/queue`;
    if (files.tryStat(`${queue}/io_timeout`) === undefined) return '0';
    return files.tryText(`${queue}/rotational`)?.trim() ?? '0';
  }

  const families = [...COLUMNS.map(([family]) => family), INFO];
  return { name: 'diskstats', families, source: '/proc/diskstats, /sys/block', collect };
}

/** Names of block devices by `major:minor`, from /proc/diskstats. */
export function readDeviceNames({ files, paths }: CollectorContext): Map<string, string> {
  const names = new Map<string, string>();
  for (const line of (files.tryText(`${paths.procfs}/diskstats`) ?? '').split('\n')) {
    const [major, minor, device] = words(line);
    if (device === undefined || tryNumber(major) === undefined) continue;
    names.set(`${major}:${minor}`, device);
  }
  return names;
}
