import { BODY_PADDING_BYTES } from './series-cache.ts';

const NEWLINE = 0x0a;
/** A larger one, left by an unusual body, is not kept for reuse. */
const REUSED_BYTES_MAX = 4 * 1024 * 1024;

/** A response body, uncompressed, in a buffer that is reused. */
export class Body {
  bytes: Buffer;
  view: DataView;
  /** Bytes of the body; after `seal` its last byte is a newline. */
  length = 0;

  constructor(capacity = 16_384) {
    this.bytes = Buffer.allocUnsafeSlow(capacity + BODY_PADDING_BYTES + 1);
    this.view = new DataView(this.bytes.buffer);
  }

  get isWorthKeeping(): boolean {
    return this.bytes.length <= REUSED_BYTES_MAX;
  }

  clear(): void {
    this.length = 0;
  }

  append(chunk: Uint8Array): void {
    this.reserve(this.length + chunk.length);
    this.bytes.set(chunk, this.length);
    this.length += chunk.length;
  }

  /** Makes room for `capacity` bytes in all; `bytes` and `view` are replaced. */
  reserve(capacity: number): void {
    if (capacity + BODY_PADDING_BYTES + 1 <= this.bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(Math.max(capacity, this.bytes.length * 2) + BODY_PADDING_BYTES + 1);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** Appends a newline, as Prometheus' parser does whatever the body ends with. */
  seal(): void {
    this.reserve(this.length + 1);
    this.bytes[this.length++] = NEWLINE;
  }
}
