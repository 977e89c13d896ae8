import type { Matcher } from '../../model/matcher.ts';
import { selectRefs } from '../query/select.ts';
import type { LabelReader } from './label-reader.ts';

const SELECTIONS_MAX = 512;
const REFS_MAX = 2_000_000;

interface Selection {
  /** Ascending by labels. */
  readonly refs: Uint32Array;
  /** Series looked at. */
  readonly seriesCount: number;
}

/**
 * Matchers to series ascending by labels, remembered: series are only ever added, so asking again costs a look at the
 * new ones. One per thread.
 */
export class Selections {
  readonly #reader: LabelReader;
  /** The one used last is at the end. */
  readonly #byKey = new Map<string, Selection>();
  #refCount = 0;

  constructor(reader: LabelReader) {
    this.#reader = reader;
  }

  /** Lent: not to be changed. `seriesCount` came from `HeadTables.loadSeriesCount`. */
  select(matchers: readonly Matcher[], seriesCount: number): Uint32Array {
    const key = matchers.map(String).join();
    const known = this.#byKey.get(key);
    if (known?.seriesCount === seriesCount) {
      this.#byKey.delete(key);
      this.#byKey.set(key, known);
      return known.refs;
    }
    const added = selectRefs(this.#reader, matchers, known?.seriesCount ?? 0, seriesCount);
    const sorted = this.#reader.sort(added);
    this.#forget(key);
    const refs = known ? this.#merge(known.refs, sorted) : new Uint32Array(sorted);
    this.#remember(key, { refs, seriesCount });
    return refs;
  }

  #merge(a: Uint32Array, b: Uint32Array): Uint32Array {
    if (b.length === 0) return a;
    const merged = new Uint32Array(a.length + b.length);
    let i = 0;
    let j = 0;
    for (let k = 0; k < merged.length; k++) {
      const takeA = j === b.length || (i < a.length && this.#reader.compare(a[i]!, b[j]!) < 0);
      merged[k] = takeA ? a[i++]! : b[j++]!;
    }
    return merged;
  }

  #remember(key: string, selection: Selection): void {
    if (selection.refs.length > REFS_MAX / 2) return;
    this.#byKey.set(key, selection);
    this.#refCount += selection.refs.length;
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= SELECTIONS_MAX && this.#refCount <= REFS_MAX) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#refCount -= this.#byKey.get(key)?.refs.length ?? 0;
    this.#byKey.delete(key);
  }
}
