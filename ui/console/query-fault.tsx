import { ApiError, errorText } from '../api.ts';
import { Message } from '../message.tsx';
import { locateFault, splitAt } from './error-position.ts';

const TITLES: Readonly<Record<ApiError['errorType'], string>> = {
  bad_data: 'The query is not valid',
  execution: 'The query failed',
  timeout: 'The query took too long',
  canceled: 'The query was cancelled',
  internal: 'The server failed',
  unavailable: 'Not available',
  not_found: 'Not found',
  not_acceptable: 'Not acceptable',
  network: 'No answer',
  starting: 'Not ready',
};

/** Why a query gave no result, with the place in its text where the server names one. */
export function QueryFault({ error, query }: { readonly error: unknown; readonly query: string }) {
  const title = error instanceof ApiError ? TITLES[error.errorType] : 'The query failed';
  const { text, offset } = locateFault(errorText(error), query);
  return (
    <Message kind="error" title={title}>
      <p class="fault-text">{text}</p>
      {offset !== undefined && <MarkedQuery query={query} offset={offset} />}
    </Message>
  );
}

function MarkedQuery({ query, offset }: { readonly query: string; readonly offset: number }) {
  const [before, marked, after] = splitAt(query, offset);
  return (
    <pre class="fault-query" aria-label={`The fault is at character ${offset + 1}`}>
      {before}
      <mark>{marked === '' ? '␣' : marked}</mark>
      {after}
    </pre>
  );
}
