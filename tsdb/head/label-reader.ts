import { Labels } from '../../model/labels.ts';
import type { SeriesRef } from '../../model/sample.ts';
import { PostingsReader, type PairId } from './postings.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import { SymbolReader } from './symbols.ts';
import { CONTROL, SERIES_LABELS, SERIES_WORDS, type HeadTables } from './tables.ts';

/** Label sets a thread keeps decoded; the older half goes when there are more. */
const LABELS_MAX = 200_000;
/** Mark of a pair that has no place yet. */
const SEEN = -1;

/** The labels of series, decoded when they are first asked for; dashboards ask for the same ones over and over. */
export class LabelReader {
  readonly tables: HeadTables;
  readonly symbols: SymbolReader;
  readonly postings: PostingsReader;
  #recent = new Map<SeriesRef, Labels>();
  #older = new Map<SeriesRef, Labels>();
  #ranks = new Int32Array(0);

  constructor(tables: HeadTables) {
    this.tables = tables;
    this.symbols = new SymbolReader(tables);
    this.postings = new PostingsReader(tables);
  }

  /** `ref` is at most a series count that `HeadTables.loadSeriesCount` gave. */
  labels(ref: SeriesRef): Labels {
    const known = this.#recent.get(ref);
    if (known !== undefined) return known;
    const labels = this.#older.get(ref) ?? this.#decode(ref);
    if (this.#recent.size >= LABELS_MAX / 2) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(ref, labels);
    return labels;
  }

  /** Where the pair ids of the series begin in the label-set table; the word before is their count. */
  pairsAt(ref: SeriesRef): number {
    return this.tables.series.u32[ref * SERIES_WORDS + SERIES_LABELS]! + 1;
  }

  /** Order of two series by labels, as Labels.compare, without decoding what they share. */
  compare(a: SeriesRef, b: SeriesRef): number {
    const words = this.tables.labelSets.u32;
    const atA = this.pairsAt(a);
    const atB = this.pairsAt(b);
    const sizeA = words[atA - 1]!;
    const sizeB = words[atB - 1]!;
    const size = Math.min(sizeA, sizeB);
    for (let i = 0; i < size; i++) {
      const pairA = words[atA + i]!;
      const pairB = words[atB + i]!;
      if (pairA !== pairB) return this.comparePairs(pairA, pairB);
    }
    return sizeA - sizeB;
  }

  /** Order of two pairs by name, then value. */
  comparePairs(a: PairId, b: PairId): number {
    const { postings, symbols } = this;
    const nameA = postings.nameOf(a);
    const nameB = postings.nameOf(b);
    if (nameA !== nameB) return compareUtf8(symbols.text(nameA), symbols.text(nameB));
    return compareUtf8(symbols.text(postings.valueOf(a)), symbols.text(postings.valueOf(b)));
  }

  /** Sorts refs by labels, in place: texts are compared once per pair, series by the pairs' places in that order. */
  sort(refs: Uint32Array): Uint32Array {
    if (refs.length < 2) return refs;
    const words = this.tables.labelSets.u32;
    const ranks = this.#rankPairs(refs);
    // One row per series: the ranks of its pairs in label order, then 0, so that a prefix comes first.
    let width = 1;
    for (let i = 0; i < refs.length; i++) width = Math.max(width, words[this.pairsAt(refs[i]!) - 1]!);
    const rows = new Int32Array(refs.length * width);
    for (let i = 0; i < refs.length; i++) {
      const at = this.pairsAt(refs[i]!);
      const size = words[at - 1]!;
      for (let j = 0; j < size; j++) rows[i * width + j] = ranks[words[at + j]!]!;
    }
    const order = new Uint32Array(refs.length);
    for (let i = 0; i < order.length; i++) order[i] = i;
    order.sort((a, b) => {
      const rowA = a * width;
      const rowB = b * width;
      for (let j = 0; j < width; j++) {
        const difference = rows[rowA + j]! - rows[rowB + j]!;
        if (difference !== 0) return difference;
      }
      return 0;
    });
    const unsorted = refs.slice();
    for (let i = 0; i < order.length; i++) refs[i] = unsorted[order[i]!]!;
    return refs;
  }

  /** By pair: its place from 1 in the order of the pairs of these series. Lent until the next call. */
  #rankPairs(refs: Uint32Array): Int32Array {
    const words = this.tables.labelSets.u32;
    const pairCount = Atomics.load(this.tables.control.i32, CONTROL.pairCount);
    if (this.#ranks.length <= pairCount) this.#ranks = new Int32Array(Math.max(pairCount + 1, this.#ranks.length * 2));
    const ranks = this.#ranks;
    const pairs: PairId[] = [];
    for (let i = 0; i < refs.length; i++) {
      const at = this.pairsAt(refs[i]!);
      const end = at + words[at - 1]!;
      for (let j = at; j < end; j++) {
        const pair = words[j]!;
        if (ranks[pair] === SEEN) continue;
        ranks[pair] = SEEN;
        pairs.push(pair);
      }
    }
    pairs.sort((x, y) => this.comparePairs(x, y));
    for (let i = 0; i < pairs.length; i++) ranks[pairs[i]!] = i + 1;
    return ranks;
  }

  #decode(ref: SeriesRef): Labels {
    const words = this.tables.labelSets.u32;
    const at = this.pairsAt(ref);
    const size = words[at - 1]!;
    const flat: string[] = [];
    for (let i = 0; i < size; i++) {
      const pair = words[at + i]!;
      flat.push(this.symbols.text(this.postings.nameOf(pair)), this.symbols.text(this.postings.valueOf(pair)));
    }
    return size === 0 ? Labels.EMPTY : new Labels(flat);
  }
}
