/** Keeps up to `max` objects for reuse; what comes back above that is left to the garbage collector. */
export class Pool<T> {
  readonly #make: () => T;
  readonly #max: number;
  readonly #free: T[] = [];

  constructor(make: () => T, max: number) {
    this.#make = make;
    this.#max = max;
  }

  take(): T {
    return this.#free.pop() ?? this.#make();
  }

  give(item: T): void {
    if (this.#free.length < this.#max) this.#free.push(item);
  }
}
