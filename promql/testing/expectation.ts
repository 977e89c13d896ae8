import { CodedError } from '../../util/errors.ts';
import { compileSearch, type SearchPattern } from '../../util/regexp.ts';

type ExpectationKind = 'fail' | 'warn' | 'info' | 'no_warn' | 'no_info' | 'ordered';

/** A line `expect <kind> [msg:|regex:] ...`; without a text any will do. */
export interface Expectation {
  readonly kind: ExpectationKind;
  readonly match: TextMatch | undefined;
}

/** What a message must be, or must contain. */
export interface TextMatch {
  readonly text: string;
  readonly pattern: SearchPattern | undefined;
}

const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;

/** A metric named `expect` is still possible where it is written `expect{}`. */
export function isExpectCommand(row: string): boolean {
  return row.split(' ', 1)[0] === 'expect';
}

/** Throws bad_data when the line is no expectation. */
export function parseExpectation(row: string): Expectation {
  const match = EXPECT.exec(row);
  if (!match) {
    throw new CodedError(
      'bad_data',
      'invalid expect statement, must match `expect <type> <match_type>: <string>` format',
    );
  }
  const kind = match[1] as ExpectationKind;
  if (match[2] === undefined) return { kind, match: undefined };
  const text = match[3]!.trim();
  return { kind, match: { text, pattern: match[2] === 'regex' ? compileSearch(text) : undefined } };
}

export function textMatches(match: TextMatch | undefined, text: string): boolean {
  if (!match) return true;
  return match.pattern ? match.pattern.found(text) : match.text === text;
}
