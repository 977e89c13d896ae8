import type { Labels } from '../../model/labels.ts';
import { xxHash64, type Hash64 } from '../../util/hash.ts';

/** Lengths below this are one byte; others are this byte and three more, least first. */
const LONG_LENGTH = 0xff;

/** The hash Prometheus takes of a label set: xxHash64 of all names and values, each after its length in bytes. */
export function hashLabels(labels: Labels): Hash64 {
  const encoder = new TextEncoder();
  const parts = labels.flat.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length + 4, 0));
  let offset = 0;
  for (const part of parts) {
    const size = part.length;
    if (size < LONG_LENGTH) {
      bytes[offset++] = size;
    } else {
      bytes.set([LONG_LENGTH, size & 0xff, (size >>> 8) & 0xff, (size >>> 16) & 0xff], offset);
      offset += 4;
    }
    bytes.set(part, offset);
    offset += size;
  }
  return xxHash64(bytes.subarray(0, offset));
}

/** The hash as a fraction of all hashes, in [0, 1). */
export function hashFraction(labels: Labels): number {
  const { hi, lo } = hashLabels(labels);
  return (hi * 2 ** 32 + lo) / 2 ** 64;
}
