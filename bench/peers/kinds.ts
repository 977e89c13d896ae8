import { findPeer, type PeerKind } from './process.ts';

/** Narthex and those peers that can be had here, or the ones BENCH_PEERS names; says which are missing. */
export function availablePeers(): PeerKind[] {
  const named = process.env['BENCH_PEERS'];
  if (named !== undefined) return named.split(',') as PeerKind[];
  const kinds: PeerKind[] = ['narthex'];
  for (const kind of ['prometheus', 'victoria-metrics'] as const) {
    if (findPeer(kind) !== undefined) kinds.push(kind);
    else console.log(`  (${kind} cannot be had here: set NARTHEX_PEERS to a folder with its program)`);
  }
  return kinds;
}

/** "0.83x Prometheus", or nothing without Prometheus. */
export function ratioNote(kind: PeerKind, value: number, byKind: ReadonlyMap<PeerKind, number>): { note?: string } {
  const reference = byKind.get('prometheus');
  if (kind === 'prometheus' || reference === undefined || reference === 0) return {};
  return { note: `${(value / reference).toFixed(2)}x Prometheus` };
}
