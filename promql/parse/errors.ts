import type { Span } from '../../model/annotations.ts';
import { CodedError } from '../../util/errors.ts';
import { utf8Size } from '../../util/utf8.ts';

/** A query that is not PromQL. `message` is complete and worded as Prometheus words it; `span` is in UTF-16 offsets. */
export class ParseError extends CodedError {
  readonly span: Span | undefined;
  /** The message without its position. */
  readonly detail: string;

  /** `span` undefined: the fault has no place of its own. */
  constructor(detail: string, span: Span | undefined, text: string) {
    super('bad_data', `${positionOf(text, span ?? { start: 0, end: 0 })}: parse error: ${detail}`);
    this.span = span;
    this.detail = detail;
  }
}

/** `line:column` of a span's start, both from 1, the column in UTF-8 bytes, as Prometheus prints positions. */
export function positionOf(text: string, span: Span): string {
  if (text === '') return 'unknown position';
  const before = text.slice(0, span.start);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let i = before.indexOf('\n'); i >= 0; i = before.indexOf('\n', i + 1)) line++;
  return `${line}:${utf8Size(before.slice(lineStart)) + 1}`;
}

/** The span as UTF-8 byte offsets, which some messages and the API print. */
export function byteSpan(text: string, span: Span): Span {
  const start = utf8Size(text.slice(0, span.start));
  return { start, end: start + utf8Size(text.slice(span.start, span.end)) };
}
