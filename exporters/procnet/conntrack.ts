import { gauge, NoDataError } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { numberOf, words } from '../numbers.ts';

const ENTRIES = gauge('node_nf_conntrack_entries', 'Connections that are tracked.');
const LIMIT = gauge('node_nf_conntrack_entries_limit', 'The most connections that can be tracked.');
const STATS = ['found', 'invalid', 'ignore', 'insert', 'insert_failed', 'drop', 'early_drop', 'search_restart'].map(
  (field) => ({ field, family: gauge(`node_nf_conntrack_stat_${field}`, `Connection tracking: ${field}.`) }),
);

/** Connection tracking. Without the kernel module there is nothing to report. */
export function createConntrackCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    const base = `${paths.procfs}/sys/net/netfilter`;
    const entries = files.tryText(`${base}/nf_conntrack_count`);
    if (entries === undefined) throw new NoDataError('connection tracking is not loaded');
    out.add(ENTRIES, '', numberOf(entries.trim(), 'nf_conntrack_count'));
    out.add(LIMIT, '', numberOf(files.text(`${base}/nf_conntrack_max`).trim(), 'nf_conntrack_max'));
    const table = files.text(`${paths.procfs}/net/stat/nf_conntrack`).trimEnd().split('\n').map(words);
    for (const { field, family } of STATS) {
      const column = table[0]!.indexOf(field);
      let sum = 0;
      // One line per processor, hex.
      for (let i = 1; i < table.length; i++) sum += Number.parseInt(table[i]![column] ?? '0', 16);
      out.add(family, '', sum);
    }
  }
  const families = [ENTRIES, LIMIT, ...STATS.map(({ family }) => family)];
  return { name: 'conntrack', families, source: '/proc/sys/net/netfilter, /proc/net/stat/nf_conntrack', collect };
}
