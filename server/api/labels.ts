import { CodedError } from '../../util/errors.ts';
import type { QueryPool } from '../workers/query-pool.ts';
import type { ApiRequest, Route } from './http.ts';
import { TIME_MS_MAX, TIME_MS_MIN } from './params.ts';
import { answerByWorker } from './query.ts';

/** /labels, /label/<name>/values and /series: looked up by the workers. */
export function labelRoutes(pool: QueryPool): Route[] {
  return [
    {
      path: 'api/v1/labels',
      methods: ['GET', 'POST'],
      isApi: true,
      handle: (request) => answerByWorker(pool, { type: 'label-names', ...selectorOf(request) }, request),
    },
    {
      path: 'api/v1/label/:name/values',
      handler: '/api/v1/label/:name/values',
      methods: ['GET'],
      isApi: true,
      handle: (request) => {
        const name = unescapeName(request.path['name'] ?? '');
        if (name === '' || !name.isWellFormed()) {
          throw new CodedError('bad_data', `invalid label name: ${JSON.stringify(name)}`);
        }
        return answerByWorker(pool, { type: 'label-values', name, ...selectorOf(request) }, request);
      },
    },
    {
      path: 'api/v1/series',
      methods: ['GET', 'POST'],
      isApi: true,
      handle: (request) => {
        if (request.params.all('match[]').length === 0) {
          throw new CodedError('bad_data', 'no match[] parameter provided');
        }
        return answerByWorker(pool, { type: 'series', ...selectorOf(request) }, request);
      },
    },
  ];
}

function selectorOf({ params }: ApiRequest): {
  matches: readonly string[];
  startMs: number;
  endMs: number;
  limit: number;
} {
  const limit = params.limit();
  const startMs = params.time('start', TIME_MS_MIN);
  const endMs = params.time('end', TIME_MS_MAX);
  return { matches: params.all('match[]'), startMs, endMs, limit };
}

/** Names in paths may be escaped: `U__` first, then `_2e_` for a character and `__` for an underscore. */
export function unescapeName(name: string): string {
  if (!name.startsWith('U__')) return name;
  const escaped = name.slice(3);
  let text = '';
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] !== '_') {
      text += escaped[i];
    } else if (escaped[i + 1] === '_') {
      text += '_';
      i++;
    } else {
      const end = escaped.indexOf('_', i + 1);
      const hex = end < 0 ? '' : escaped.slice(i + 1, end);
      const code = Number.parseInt(hex, 16);
      // What is not an escape after all is taken as it stands.
      if (!/^[0-9a-fA-F]{1,6}$/.test(hex) || code > 0x10ffff) return name;
      text += String.fromCodePoint(code);
      i = end;
    }
  }
  return text;
}
