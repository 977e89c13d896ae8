import { zstdCompress, zstdDecompressSync } from 'node:zlib';
import { compress, uncompress } from 'snappyjs';
import { CodedError } from './errors.ts';

/** A copy of 64 bytes takes 3 bytes, so no honest stream grows more than this; anything above is an attack. */
const SNAPPY_RATIO_MAX = 64;
const LENGTH_BYTES_MAX = 5;

/** Snappy block format. */
export function snappyCompress(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return compress(bytes);
}

/**
 * Snappy block format back to bytes. The whole stream is checked before a byte is allocated: its declared length against
 * `maxBytes` and against what the input can hold, every copy against what stands before it, and that input and output
 * end together. snappyjs checks none of that (spec/reliability.md S19). Throws `limit` or `bad_data`.
 */
export function snappyUncompress(bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  checkSnappy(bytes, maxBytes);
  return uncompress(bytes, maxBytes);
}

/** The length a snappy block declares. Throws `bad_data` when it has none. */
export function snappyLength(bytes: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < LENGTH_BYTES_MAX; i++) {
    const byte = bytes[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 128) {
      if (length >= 2 ** 32) break;
      return length;
    }
  }
  throw new CodedError('bad_data', 'snappy: no valid length at the start');
}

function checkSnappy(bytes: Uint8Array, maxBytes: number): void {
  const declared = snappyLength(bytes);
  if (declared > maxBytes) {
    throw new CodedError('limit', `snappy: declares ${declared} bytes uncompressed, the limit is ${maxBytes}`);
  }
  if (declared > bytes.length * SNAPPY_RATIO_MAX) {
    throw new CodedError('bad_data', `snappy: declares ${declared} bytes, more than ${bytes.length} bytes can hold`);
  }
  const end = bytes.length;
  let at = 1;
  while (bytes[at - 1]! >= 128) at++;
  let produced = 0;
  while (at < end) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const extra = length - 60;
        if (at + extra > end) throw cutOff(at);
        length = readLe(bytes, at, extra) + 1;
        at += extra;
      }
      at += length;
      if (at > end) throw cutOff(end);
      produced += length;
    } else {
      const extra = kind === 1 ? 1 : kind === 2 ? 2 : 4;
      if (at + extra > end) throw cutOff(at);
      const offset = kind === 1 ? bytes[at]! + ((tag >>> 5) << 8) : readLe(bytes, at, extra);
      at += extra;
      if (offset === 0 || offset > produced) throw new CodedError('bad_data', `snappy: copy from nowhere at ${at}`);
      produced += kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    }
    if (produced > declared) break;
  }
  if (produced !== declared) {
    throw new CodedError(
      'bad_data',
      `snappy: declares ${declared} bytes, holds ${produced > declared ? 'more' : produced}`,
    );
  }
}

function readLe(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function cutOff(at: number): CodedError {
  return new CodedError('bad_data', `snappy: the input ends inside an element at ${at}`);
}

/** Runs on a thread of libuv's; `bytes` must not change until it is done. */
export function zstdPack(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zstdCompress(bytes, (error, packed) => (error ? reject(error) : resolve(packed)));
  });
}

/** Blocks the thread: for replay and workers. Throws `limit` above `maxBytes`, `bad_data` for what is not zstd. */
export function zstdUnpack(bytes: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    if (tooLarge) throw new CodedError('limit', `zstd: more than ${maxBytes} bytes uncompressed`, { cause: error });
    throw new CodedError('bad_data', 'zstd: not a valid stream', { cause: error });
  }
}
