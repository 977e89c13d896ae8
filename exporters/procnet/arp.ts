import { labelText } from '../../util/metrics.ts';
import { gauge } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { words } from '../numbers.ts';

const ENTRIES = gauge('node_arp_entries', 'Entries of the ARP table.', 'device');
const DEVICE_COLUMN = 5;

/** Neighbours by device, as /proc shows them (entries of devices without ARP are hidden there). */
export function createArpCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const entries = new Map<string, number>();
    for (const line of files.text(`${paths.procfs}/net/arp`).split('\n').slice(1)) {
      const device = words(line)[DEVICE_COLUMN];
      if (device !== undefined) entries.set(device, (entries.get(device) ?? 0) + 1);
    }
    for (const [device, count] of entries) out.add(ENTRIES, labelText({ device }), count);
  }
  return { name: 'arp', families: [ENTRIES], source: '/proc/net/arp', collect };
}
