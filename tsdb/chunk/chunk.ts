/** Encoding byte of a chunk, as in segment files and chunks_head; layouts: docs/format/. */
export const ENCODING = { none: 0, xor: 1, histogram: 2, floatHistogram: 3, xor2: 4 } as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

/** Every encoding of ours begins with the number of samples, 16 bits big-endian. */
export const CHUNK_HEADER_BYTES = 2;
/** Most samples the header can count. */
export const CHUNK_SAMPLES_MAX = 65_535;
