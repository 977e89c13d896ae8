import { Labels } from '../../model/labels.ts';
import type { SeriesRef } from '../../model/sample.ts';
import { PostingsReader, type PairId } from './postings.ts';
import { SymbolReader } from './symbols.ts';
import { SERIES_LABELS, SERIES_WORDS, type HeadTables } from './tables.ts';

/** Label sets a thread keeps decoded; the older half goes when there are more. */
const LABELS_MAX = 200_000;

/** The labels of series, decoded when they are first asked for; dashboards ask for the same ones over and over. */
export class LabelReader {
  readonly tables: HeadTables;
  readonly symbols: SymbolReader;
  readonly postings: PostingsReader;
  #recent = new Map<SeriesRef, Labels>();
  #older = new Map<SeriesRef, Labels>();

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
      if (pairA !== pairB) return Labels.compare(this.#pairLabels(pairA), this.#pairLabels(pairB));
    }
    return sizeA - sizeB;
  }

  #pairLabels(pair: PairId): Labels {
    return new Labels([this.symbols.text(this.postings.nameOf(pair)), this.symbols.text(this.postings.valueOf(pair))]);
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
