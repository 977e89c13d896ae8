import { Labels } from '../../model/labels.ts';
import type { Matcher } from '../../model/matcher.ts';
import type { Querier, Queryable, SeriesSet } from '../../model/storage.ts';
import { parseSelector } from '../../promql/parse/parse.ts';
import { CodedError } from '../../util/errors.ts';
import { labelsJson, writeAnnotations, type Breather, type JsonWriter } from '../api/json.ts';
import { compareUtf8 } from '../../util/utf8.ts';
import type { QueryJob } from './messages.ts';

type MetadataJob = Extract<QueryJob, { type: 'series' | 'label-names' | 'label-values' }>;

const TRUNCATED = 'results truncated due to limit';
/** Series between two looks at the clock. */
const SERIES_PER_BREATH = 512;

/** Runs a look-up of series or labels and writes its whole answer. Throws CodedError. */
export async function runMetadataJob(
  job: MetadataJob,
  queryable: Queryable,
  out: JsonWriter,
  breathe: Breather,
): Promise<void> {
  const selectors = selectorsOf(job);
  using view = viewOf(queryable, job.startMs, job.endMs);
  const { querier } = view;
  if (job.type === 'series') return writeSeries(job, selectors, querier, out, breathe);
  // One more than asked for tells whether there is more.
  const wanted = job.limit === 0 ? 0 : job.limit + 1;
  const lookUp = (matchers: readonly Matcher[]): string[] =>
    job.type === 'label-names' ? querier.labelNames(matchers, wanted) : querier.labelValues(job.name, matchers, wanted);
  const texts = selectors.length === 0 ? lookUp([]) : unionSorted(selectors.map(lookUp));
  const isTruncated = job.limit > 0 && texts.length > job.limit;
  const shown = isTruncated ? texts.slice(0, job.limit) : texts;
  out.ascii('{"status":"success","data":[');
  for (let i = 0; i < shown.length; i++) {
    out.utf8(`${i === 0 ? '' : ','}${JSON.stringify(shown[i])}`);
    if (i % SERIES_PER_BREATH === 0) await breathe();
  }
  finish(out, ']', isTruncated);
}

function viewOf(queryable: Queryable, startMs: number, endMs: number): Disposable & { readonly querier: Querier } {
  const querier = queryable.querier(startMs, endMs);
  return { querier, [Symbol.dispose]: () => querier.close() };
}

function finish(out: JsonWriter, closing: string, isTruncated: boolean): void {
  out.ascii(closing);
  writeAnnotations(out, isTruncated ? [TRUNCATED] : [], []);
  out.ascii('}');
}

/** The matchers of each `match[]`. Throws bad_data with the wording of the endpoint. */
function selectorsOf({ type, matches }: MetadataJob): (readonly Matcher[])[] {
  try {
    return parseSelectors(matches);
  } catch (error) {
    if (type !== 'series' || !(error instanceof CodedError) || error.code !== 'bad_data') throw error;
    throw new CodedError('bad_data', `invalid parameter "match[]": ${error.message}`, { cause: error });
  }
}

/** Throws bad_data. */
export function parseSelectors(matches: readonly string[]): (readonly Matcher[])[] {
  return matches.map((text) => {
    const matchers = parseSelector(text);
    if (matchers.every((matcher) => matcher.matches(''))) {
      throw new CodedError('bad_data', 'match[] must contain at least one non-empty matcher');
    }
    return matchers;
  });
}

async function writeSeries(
  job: Extract<MetadataJob, { type: 'series' }>,
  selectors: readonly (readonly Matcher[])[],
  querier: Querier,
  out: JsonWriter,
  breathe: Breather,
): Promise<void> {
  const hints = { startMs: job.startMs, endMs: job.endMs, limit: job.limit === 0 ? 0 : job.limit + 1 };
  const sets = selectors.map((matchers) => querier.select(matchers, hints));
  out.ascii('{"status":"success","data":[');
  let count = 0;
  for (const labels of mergeSets(sets)) {
    if (job.limit > 0 && count === job.limit) return finish(out, ']', true);
    out.utf8(`${count === 0 ? '' : ','}${labelsJson(labels)}`);
    count++;
    if (count % SERIES_PER_BREATH === 0) await breathe();
  }
  finish(out, ']', false);
}

/** The label sets of all sets, ascending, each once. */
function* mergeSets(sets: readonly SeriesSet[]): Generator<Labels> {
  const at = sets.map(() => 0);
  for (;;) {
    let least: Labels | undefined;
    for (let i = 0; i < sets.length; i++) {
      if (at[i]! === sets[i]!.count) continue;
      const labels = sets[i]!.labels(at[i]!);
      if (!least || Labels.compare(labels, least) < 0) least = labels;
    }
    if (!least) return;
    for (let i = 0; i < sets.length; i++) {
      if (at[i]! < sets[i]!.count && sets[i]!.labels(at[i]!).equals(least)) at[i]!++;
    }
    yield least;
  }
}

function unionSorted(lists: readonly string[][]): string[] {
  if (lists.length === 1) return lists[0]!;
  return [...new Set(lists.flat())].sort(compareUtf8);
}
