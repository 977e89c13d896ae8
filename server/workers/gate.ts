import { CodedError } from '../../util/errors.ts';

export interface GateOptions {
  /** Holders at once. */
  readonly max: number;
  /** Most that may wait. */
  readonly queueMax: number;
  readonly queueMs: number;
}

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Why a request did not get through. */
export type RefusalReason = 'queue_full' | 'queue_timeout' | 'memory';

/** Refused for lack of places: the client may try again at once. */
export class BusyError extends CodedError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super('unavailable', message);
    this.reason = reason;
  }
}

/** Lets `max` in at once; the others wait in order of arrival, not for ever and not without bound (O1, O2). */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting = new Set<Waiter>();
  #held = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get held(): number {
    return this.#held;
  }

  get queueLength(): number {
    return this.#waiting.size;
  }

  /** Resolves when there is a place, which the caller gives back by `leave`. Rejects with BusyError or the signal's reason. */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { max, queueMax, queueMs } = this.#options;
    if (this.#held < max) {
      this.#held++;
      return;
    }
    if (this.#waiting.size >= queueMax) {
      const limits = `${max} run (--query.max-concurrency) and ${queueMax} wait`;
      throw new BusyError('queue_full', `too many queries: ${limits}; try again`);
    }
    await this.#wait(signal, queueMs);
  }

  leave(): void {
    const next = this.#waiting.values().next().value;
    if (next) next.admit();
    else this.#held--;
  }

  /** Refuses everyone who waits. */
  clear(error: Error): void {
    for (const waiter of this.#waiting) waiter.refuse(error);
  }

  #wait(signal: AbortSignal, queueMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        this.#waiting.delete(waiter);
        clearTimeout(waiter.timer);
        signal.removeEventListener('abort', onAbort);
        run();
      };
      const onAbort = (): void => waiter.refuse(new CodedError('canceled', 'query was canceled in query queue'));
      const waiter: Waiter = {
        admit: () => settle(resolve),
        refuse: (error) => settle(() => reject(error)),
        timer: setTimeout(() => {
          const limit = `--query.max-concurrency=${this.#options.max}`;
          waiter.refuse(new BusyError('queue_timeout', `no query ended within ${queueMs} ms (${limit}); try again`));
        }, queueMs),
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
