/** Work for the next frame, one item per chart: a later item of the same chart replaces the earlier. */
class DrawQueue {
  readonly #pending = new Map<object, () => void>();
  #isScheduled = false;

  /** Draws in the next frame, together with all other charts. */
  schedule(chart: object, draw: () => void): void {
    this.#pending.set(chart, draw);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#run());
  }

  cancel(chart: object): void {
    this.#pending.delete(chart);
  }

  #run(): void {
    this.#isScheduled = false;
    const work = [...this.#pending.values()];
    this.#pending.clear();
    for (const draw of work) draw();
  }
}

/** The one queue of the page. */
export const drawQueue = new DrawQueue();
