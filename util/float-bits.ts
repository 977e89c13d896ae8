// The only place that names NaN bit patterns. A JavaScript number may lose a NaN's payload (V8's middle JIT tier
// quiets signalling NaNs on stores), so samples are stored and moved as two 32-bit words; see docs/ARCHITECTURE.md.

/** High word of every NaN Prometheus writes: the staleness marker is 7ff00000:00000002. */
export const STALE_NAN_HI = 0x7ff00000;
export const STALE_NAN_LO = 0x00000002;

/** The NaN a parser or an operator stores: 7ff80000:00000001, as Prometheus normalises it. */
export const NORMAL_NAN_HI = 0x7ff80000;
export const NORMAL_NAN_LO = 0x00000001;

/** True for the words of the staleness marker; `hi` and `lo` may be signed or unsigned. */
export function isStaleWords(hi: number, lo: number): boolean {
  return (hi | 0) === STALE_NAN_HI && (lo | 0) === STALE_NAN_LO;
}

const scratch = new DataView(new ArrayBuffer(8));

/** High 32 bits of a number, signed; every NaN gives NORMAL_NAN_HI. */
export function highWord(value: number): number {
  if (value !== value) return NORMAL_NAN_HI;
  scratch.setFloat64(0, value);
  return scratch.getInt32(0);
}

/** Low 32 bits of a number, signed; every NaN gives NORMAL_NAN_LO. */
export function lowWord(value: number): number {
  if (value !== value) return NORMAL_NAN_LO;
  scratch.setFloat64(0, value);
  return scratch.getInt32(4);
}

/** The number of two words. A stale marker comes out as some NaN: test it on the words first. */
export function wordsToNumber(hi: number, lo: number): number {
  scratch.setInt32(0, hi);
  scratch.setInt32(4, lo);
  return scratch.getFloat64(0);
}
