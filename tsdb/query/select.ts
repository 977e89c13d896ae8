// hot path. Matchers to series of the head. The smallest list of candidates is read from the postings, then every other
// matcher is asked once per label pair, not once per series.
import type { Matcher } from '../../model/matcher.ts';
import type { SeriesRef } from '../../model/sample.ts';
import type { LabelReader } from '../head/label-reader.ts';
import type { PairId } from '../head/postings.ts';
import type { SymbolId } from '../head/symbols.ts';

/** A matcher as ids of the index. */
interface Filter {
  readonly matcher: Matcher;
  readonly name: SymbolId;
  /** The one pair that `=` asks for; 0 for the other types. */
  readonly pair: PairId;
  readonly acceptsAbsent: boolean;
  /** Answers by pair. */
  readonly verdicts: Map<PairId, boolean>;
}

/**
 * The series after `refMin` up to `refMax` that satisfy all matchers, ascending by ref. An absent label is an empty one.
 * `refMax` came from `HeadTables.loadSeriesCount`.
 */
export function selectRefs(
  reader: LabelReader,
  matchers: readonly Matcher[],
  refMin: SeriesRef,
  refMax: SeriesRef,
): Uint32Array {
  const filters = resolve(reader, matchers);
  if (!filters || refMax <= refMin) return new Uint32Array(0);
  const base = chooseBase(reader, filters, refMax - refMin);
  const candidates = base ? candidatesOf(reader, base.pairs, refMin, refMax) : range(refMin, refMax);
  const rest = base ? filters.filter((filter) => filter !== base.filter) : filters;
  return rest.length === 0 ? candidates : filterRefs(reader, rest, candidates);
}

/** undefined: nothing can match. */
function resolve(reader: LabelReader, matchers: readonly Matcher[]): Filter[] | undefined {
  const filters: Filter[] = [];
  for (const matcher of matchers) {
    const acceptsAbsent = matcher.matches('');
    const name = reader.symbols.find(matcher.name);
    const nameRecord = name > 0 ? reader.postings.find(name, 0) : 0;
    if (nameRecord === 0) {
      // No series has the label.
      if (!acceptsAbsent) return undefined;
      continue;
    }
    let pair = 0;
    if (matcher.type === '=' && !acceptsAbsent) {
      const value = reader.symbols.find(matcher.value);
      pair = value < 0 ? 0 : reader.postings.find(name, value);
      if (pair === 0) return undefined;
    }
    filters.push({ matcher, name, pair, acceptsAbsent, verdicts: new Map() });
  }
  return filters;
}

interface Base {
  readonly filter: Filter;
  readonly pairs: readonly PairId[];
}

/** The filter with the fewest series; undefined when going through all `seriesCount` is no more. */
function chooseBase(reader: LabelReader, filters: readonly Filter[], seriesCount: number): Base | undefined {
  let best: Base | undefined;
  let bestCount = seriesCount;
  for (const filter of filters) {
    if (filter.pair === 0) continue;
    const count = reader.postings.countOf(filter.pair);
    if (best && count >= bestCount) continue;
    best = { filter, pairs: [filter.pair] };
    bestCount = count;
  }
  for (const filter of filters) {
    if (filter.pair !== 0 || filter.acceptsAbsent) continue;
    const nameRecord = reader.postings.find(filter.name, 0);
    // Asking every value pays when there are fewer values than candidates.
    if (reader.postings.countOf(nameRecord) > bestCount) continue;
    const pairs = reader.postings.valuesOf(nameRecord).filter((pair) => matchesPair(reader, filter, pair));
    let count = 0;
    for (const pair of pairs) count += reader.postings.countOf(pair);
    if (count >= bestCount) continue;
    best = { filter, pairs };
    bestCount = count;
  }
  return best;
}

/** Series with one of the pairs, which are of one name: no series is in two lists. */
function candidatesOf(
  reader: LabelReader,
  pairs: readonly PairId[],
  refMin: SeriesRef,
  refMax: SeriesRef,
): Uint32Array {
  let count = 0;
  for (const pair of pairs) count += reader.postings.countOf(pair);
  const refs = new Uint32Array(count);
  let end = 0;
  for (const pair of pairs) end = reader.postings.refsInto(pair, refMax, refs, end);
  const found = refs.subarray(0, end);
  if (pairs.length > 1) found.sort();
  let start = 0;
  while (start < end && found[start]! <= refMin) start++;
  return found.subarray(start);
}

function range(refMin: SeriesRef, refMax: SeriesRef): Uint32Array {
  const refs = new Uint32Array(refMax - refMin);
  for (let i = 0; i < refs.length; i++) refs[i] = refMin + i + 1;
  return refs;
}

/** Keeps, in place, the candidates that pass all filters. */
function filterRefs(reader: LabelReader, filters: readonly Filter[], candidates: Uint32Array): Uint32Array {
  let kept = 0;
  for (let i = 0; i < candidates.length; i++) {
    const ref = candidates[i]!;
    let passes = true;
    for (let j = 0; passes && j < filters.length; j++) passes = hasLabel(reader, filters[j]!, ref);
    if (passes) candidates[kept++] = ref;
  }
  return candidates.subarray(0, kept);
}

function hasLabel(reader: LabelReader, filter: Filter, ref: SeriesRef): boolean {
  const words = reader.tables.labelSets.u32;
  const at = reader.pairsAt(ref);
  const end = at + words[at - 1]!;
  if (filter.pair !== 0) {
    for (let i = at; i < end; i++) if (words[i] === filter.pair) return true;
    return false;
  }
  for (let i = at; i < end; i++) {
    const pair = words[i]!;
    if (reader.postings.nameOf(pair) === filter.name) return matchesPair(reader, filter, pair);
  }
  return filter.acceptsAbsent;
}

function matchesPair(reader: LabelReader, filter: Filter, pair: PairId): boolean {
  const known = filter.verdicts.get(pair);
  if (known !== undefined) return known;
  const verdict = filter.matcher.matches(reader.symbols.text(reader.postings.valueOf(pair)));
  filter.verdicts.set(pair, verdict);
  return verdict;
}
