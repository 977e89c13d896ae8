import { CodedError, errorText } from '../util/errors.ts';
import type { Host, TimerHandle } from '../util/host.ts';

/** How often the free space is asked for; the way back to writing takes at most this long (F4). */
const CHECK_MS = 2000;
const MIB = 1024 * 1024;
const DEFAULT_PART = 0.01;
const DEFAULT_BYTES_MIN = 64 * MIB;
const DEFAULT_BYTES_MAX = 1024 * MIB;

/**
 * Stops ingestion before the disk is full (F2): while less than a minimum is free the database is read-only. Looks every
 * two seconds, with at most one question to the system pending, so that a hung mount holds up nothing.
 */
export class DiskGuard {
  readonly #path: string;
  readonly #minFreeBytes: number | undefined;
  readonly #host: Host;
  #timer: TimerHandle | undefined;
  #isClosed = false;
  #refusal: CodedError | undefined;
  #hasFailed = false;

  /** `minFreeBytes` undefined: the larger of 1 % of the disk and 64 MiB, at most 1 GiB; 0 switches the guard off. */
  constructor(path: string, minFreeBytes: number | undefined, host: Host) {
    this.#path = path;
    this.#minFreeBytes = minFreeBytes;
    this.#host = host;
  }

  /** Why nothing may be written now; undefined when it may. */
  get refusal(): CodedError | undefined {
    return this.#refusal;
  }

  /** Looks once, then keeps looking until closed. */
  async start(): Promise<void> {
    await this.#check();
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer = this.#host.clock.setTimer(() => void this.#check().then(() => this.#arm()), CHECK_MS);
  }

  async #check(): Promise<void> {
    let space: { freeBytes: number; totalBytes: number };
    try {
      space = await this.#host.fs.diskSpace(this.#path);
    } catch (error) {
      if (!this.#hasFailed) {
        this.#host.log.warn({ path: this.#path, error: errorText(error) }, 'free disk space cannot be read');
      }
      this.#hasFailed = true;
      return;
    }
    this.#hasFailed = false;
    const wanted = this.#minFreeBytes ?? defaultMinimum(space.totalBytes);
    const isLow = space.freeBytes < wanted;
    if (isLow === (this.#refusal !== undefined)) return;
    const facts = { path: this.#path, freeBytes: space.freeBytes, minFreeBytes: wanted };
    if (isLow) {
      const text = `storage is read-only: ${space.freeBytes} bytes are free on the disk of ${this.#path}, fewer than the ${wanted} of --storage.tsdb.min-free-disk`;
      this.#refusal = new CodedError('unavailable', text);
      this.#host.log.error(facts, 'disk nearly full; storage is read-only until space is free');
    } else {
      this.#refusal = undefined;
      this.#host.log.info(facts, 'disk space is free again; storage accepts samples');
    }
  }
}

function defaultMinimum(totalBytes: number): number {
  return Math.min(DEFAULT_BYTES_MAX, Math.max(DEFAULT_BYTES_MIN, totalBytes * DEFAULT_PART));
}
