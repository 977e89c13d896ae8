import { compileAnchored, type AnchoredPattern } from '../util/regexp.ts';
import { quoteGo } from './labels.ts';

export type MatchType = '=' | '!=' | '=~' | '!~';

/** One condition of a selector on one label. A missing label has the value ''. */
export class Matcher {
  readonly type: MatchType;
  readonly name: string;
  readonly value: string;
  readonly #pattern: AnchoredPattern | undefined;

  /** Throws bad_data when a pattern is not RE2. */
  constructor(type: MatchType, name: string, value: string) {
    this.type = type;
    this.name = name;
    this.value = value;
    this.#pattern = type === '=~' || type === '!~' ? compileAnchored(value) : undefined;
  }

  matches(value: string): boolean {
    if (this.#pattern) return this.#pattern.matches(value) === (this.type === '=~');
    return (value === this.value) === (this.type === '=');
  }

  toString(): string {
    return `${this.name}${this.type}${quoteGo(this.value)}`;
  }
}
