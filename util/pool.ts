/**
 * Keeps up to `max` objects for reuse; what comes back above that, or fails `isWorthKeeping` (because it grew large, for
 * instance), is left to the garbage collector.
 */
export class Pool<T> {
  readonly #make: () => T;
  readonly #max: number;
  readonly #isWorthKeeping: (item: T) => boolean;
  readonly #free: T[] = [];

  constructor(make: () => T, max: number, isWorthKeeping: (item: T) => boolean = () => true) {
    this.#make = make;
    this.#max = max;
    this.#isWorthKeeping = isWorthKeeping;
  }

  take(): T {
    return this.#free.pop() ?? this.#make();
  }

  give(item: T): void {
    if (this.#free.length < this.#max && this.#isWorthKeeping(item)) this.#free.push(item);
  }
}
