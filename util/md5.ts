import { createHash } from 'node:crypto';

/**
 * The last 8 bytes of the MD5 of a text as an unsigned big-endian number, modulo `modulus`: what relabelling's hashmod
 * stores. Not for anything that must resist an attacker.
 */
export function md5Modulo(text: string, modulus: bigint): bigint {
  const digest = createHash('md5').update(text).digest();
  return digest.readBigUInt64BE(8) % modulus;
}
