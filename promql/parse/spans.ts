import type { IToken } from 'chevrotain';
import type { Span } from '../../model/annotations.ts';

export function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: token.startOffset + token.image.length };
}

/** From the start of one to the end of the other. */
export function spanFrom(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}
