import { useSignal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { isAbort } from './api.ts';

export interface Resource<T> {
  /** The newest answer, kept while the next one is on its way and when that fails. */
  readonly data: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  /** How long the newest answer took. */
  readonly tookMs: number;
}

type Load<T> = (signal: AbortSignal) => Promise<T>;

/** Runs one load at a time. What is asked for meanwhile waits; of several only the newest. */
class Loader<T> {
  readonly #state: Signal<Resource<T>>;
  readonly #abort = new AbortController();
  #next: Load<T> | undefined;
  #isRunning = false;

  constructor(state: Signal<Resource<T>>) {
    this.#state = state;
  }

  ask(load: Load<T>): void {
    this.#next = load;
    if (!this.#isRunning) void this.#run();
  }

  close(): void {
    this.#next = undefined;
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { signal } = this.#abort;
    while (this.#next && !signal.aborted) {
      const load = this.#next;
      this.#next = undefined;
      const start = performance.now();
      this.#state.value = { ...this.#state.peek(), isLoading: true };
      try {
        const data = await load(signal);
        if (signal.aborted) break;
        this.#state.value = { data, error: undefined, isLoading: false, tookMs: performance.now() - start };
      } catch (error) {
        if (signal.aborted || isAbort(error)) break;
        this.#state.value = { ...this.#state.peek(), error, isLoading: false };
      }
    }
    this.#isRunning = false;
  }
}

/**
 * Loads whenever `key` changes, at its own pace: under a slow server refreshes are skipped, not piled up. `undefined`
 * loads nothing new. What is under way is aborted when the component goes.
 */
export function useResource<T>(key: string | undefined, load: Load<T>): ReadonlySignal<Resource<T>> {
  const state = useSignal<Resource<T>>({ data: undefined, error: undefined, isLoading: true, tookMs: 0 });
  const loader = useRef<Loader<T> | undefined>(undefined);
  useEffect(() => {
    const made = new Loader(state);
    loader.current = made;
    return () => made.close();
  }, []);
  useEffect(() => {
    if (key !== undefined) loader.current?.ask(load);
  }, [key]);
  return state;
}

/** Counts up every `everyMs` while the page is visible: a key for `useResource`. */
export function useTick(everyMs: number): number {
  const tick = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) tick.value++;
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return tick.value;
}
