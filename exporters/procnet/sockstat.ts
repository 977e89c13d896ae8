import { readFileSync } from 'node:fs';
import { gauge } from '../collector.ts';
import type { Collector, CollectorContext, SampleSet } from '../collector.ts';
import { numberOf, words } from '../numbers.ts';

const FIELD = gauge('node_sockstat_<Protocol>_<field>', 'One field of sockstat or sockstat6; `mem` also in bytes.');
const PAGE_BYTES = readPageBytes();

/** Sockets by protocol. */
export function createSockstatCollector({ files, paths }: CollectorContext): Collector {
  function collect(out: SampleSet): void {
    addSockstat(out, parseSockstat(files.text(`${paths.procfs}/net/sockstat`)));
    addSockstat(out, parseSockstat(files.tryText(`${paths.procfs}/net/sockstat6`) ?? ''));
  }
  return { name: 'sockstat', families: [FIELD], source: '/proc/net/{sockstat,sockstat6}', collect };
}

function addSockstat(out: SampleSet, fields: ReadonlyMap<string, number>): void {
  for (const [field, value] of fields) {
    out.addNamed(`node_sockstat_${field}`, 'gauge', `Sockets: ${field.replace('_', ' ')}.`, value);
    if (!field.endsWith('_mem')) continue;
    out.addNamed(
      `node_sockstat_${field}_bytes`,
      'gauge',
      `Sockets: ${field.replace('_', ' ')} in bytes.`,
      value * PAGE_BYTES,
    );
  }
}

/** Lines `TCP: inuse 7 orphan 0` as `TCP_inuse` -> 7. */
export function parseSockstat(text: string): Map<string, number> {
  const fields = new Map<string, number>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const pairs = words(line.slice(colon + 1));
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const field = `${line.slice(0, colon)}_${pairs[i]}`;
      fields.set(field, numberOf(pairs[i + 1], field));
    }
  }
  return fields;
}

/** Bytes of a memory page: entry 6 of the auxiliary vector, which is pairs of 64-bit words. */
function readPageBytes(): number {
  const AT_PAGESZ = 6;
  try {
    const vector = readFileSync('/proc/self/auxv');
    for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
      if (vector.readUInt32LE(offset) === AT_PAGESZ) return vector.readUInt32LE(offset + 8);
    }
  } catch {
    // Not permitted: the size of nearly every machine.
  }
  return 4096;
}
