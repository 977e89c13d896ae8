/** Short jobs that may run one after the other while a long one waits. */
const SHORT_RUN_MAX = 4;

/**
 * Shares one thread between jobs that give way every few milliseconds: one job runs per turn of the event loop, so that
 * messages get in between, and short ones (instant queries) go before long ones without starving them.
 */
export class Turns {
  readonly #short: (() => void)[] = [];
  readonly #long: (() => void)[] = [];
  #shortRun = 0;
  #isScheduled = false;

  /** Resolves when it is this job's turn. */
  wait(isShort: boolean): Promise<void> {
    return new Promise((resolve) => {
      (isShort ? this.#short : this.#long).push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const next = this.#next();
      if (this.#short.length + this.#long.length > 0) this.#schedule();
      next?.();
    });
  }

  #next(): (() => void) | undefined {
    const longIsDue = this.#shortRun >= SHORT_RUN_MAX && this.#long.length > 0;
    if (this.#short.length > 0 && !longIsDue) {
      this.#shortRun++;
      return this.#short.shift();
    }
    this.#shortRun = 0;
    return this.#long.shift();
  }
}
