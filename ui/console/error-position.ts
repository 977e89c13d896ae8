export interface QueryFault {
  /** What is wrong, without the position. */
  readonly text: string;
  /** UTF-16 offset in the query; undefined when the message names no position. */
  readonly offset: number | undefined;
}

/**
 * Reads Prometheus' parse error, `invalid parameter "query": 1:5: parse error: unclosed left parenthesis`: line and column
 * count from 1, the column in UTF-8 bytes.
 */
export function locateFault(message: string, query: string): QueryFault {
  const match = /^(?:invalid parameter "query": )?(\d+):(\d+): (.*)$/s.exec(message);
  if (!match) return { text: message, offset: undefined };
  const [, line = '1', column = '1', text = ''] = match;
  return { text, offset: offsetOf(query, Number(line), Number(column)) };
}

function offsetOf(query: string, line: number, column: number): number | undefined {
  const lines = query.split('\n');
  const found = lines[line - 1];
  if (found === undefined) return undefined;
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  let bytes = column - 1;
  let index = 0;
  for (const character of found) {
    if (bytes <= 0) break;
    bytes -= new TextEncoder().encode(character).length;
    index += character.length;
  }
  return before + index;
}

/** The query around the fault: before, the marked token (may be empty at the end), after. */
export function splitAt(query: string, offset: number): [before: string, marked: string, after: string] {
  const token = /^(?:[\w:]+|\s*\S)/.exec(query.slice(offset))?.[0] ?? '';
  return [query.slice(0, offset), token, query.slice(offset + token.length)];
}
