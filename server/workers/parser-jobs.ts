import { toApiTree } from '../../promql/parse/api-tree.ts';
import { parseExpr } from '../../promql/parse/parse.ts';
import { prettyExpr } from '../../promql/parse/pretty.ts';
import type { ParserOptions } from '../../promql/options.ts';
import { CodedError } from '../../util/errors.ts';
import { envelope } from '../api/json.ts';
import type { QueryJob } from './messages.ts';
import { parseSelectors } from './metadata-jobs.ts';

type ParserJob = Extract<QueryJob, { type: 'format' | 'parse' | 'exemplars' | 'check-matchers' }>;

/** Runs a job that only needs the parser; returns the whole answer. Throws CodedError. */
export function runParserJob(job: ParserJob, options: ParserOptions): Uint8Array<ArrayBuffer> {
  try {
    if (job.type === 'check-matchers') {
      const sets = parseSelectors(job.matches);
      return envelope(sets.map((set) => set.map(({ type, name, value }) => ({ type, name, value }))));
    }
    const expr = parseExpr(job.query, options);
    // None are stored yet; a query that is wrong is told all the same.
    if (job.type === 'exemplars') return envelope([]);
    return envelope(job.type === 'parse' ? toApiTree(expr) : prettyExpr(expr));
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'bad_data' || job.type === 'exemplars') throw error;
    const name = job.type === 'check-matchers' ? job.name : 'query';
    throw new CodedError('bad_data', `invalid parameter "${name}": ${error.message}`, { cause: error });
  }
}
