import { RE2JS } from 're2js';
import { CodedError, errorText } from './errors.ts';

/** A fully anchored RE2 pattern in which the dot matches newline, as Prometheus compiles every user pattern. */
export interface AnchoredPattern {
  matches(text: string): boolean;
}

/** Compiles in linear-time RE2 semantics; user patterns never reach V8's RegExp. Throws bad_data. */
export function compileAnchored(pattern: string): AnchoredPattern {
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
    return { matches: (text) => compiled.matches(text) };
  } catch (error) {
    throw new CodedError('bad_data', `error parsing regexp: ${errorText(error)}`, { cause: error });
  }
}
