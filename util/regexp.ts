import { RE2JS } from 're2js';
import { CodedError, errorText } from './errors.ts';
import { matchesWildcard, shapeOf, type PatternShape } from './regexp-shape.ts';

/** A fully anchored RE2 pattern in which the dot matches newline, as Prometheus compiles every user pattern. */
export interface AnchoredPattern {
  matches(text: string): boolean;
  /**
   * Go's Regexp.Expand of `template` for the match of `text`: `$1`, `${1}`, `$name`, `${name}`, `$$`; a group that does
   * not exist or took no part is empty. undefined when the pattern does not match.
   */
  expand(text: string, template: string): string | undefined;
  /** Every text that matches, where the pattern is a list of texts; may repeat one. */
  readonly literals: readonly string[] | undefined;
}

/** Compiled patterns that are kept; long ones never are, as each may take megabytes. */
const PATTERNS_MAX = 500;
const KEPT_PATTERN_SIZE_MAX = 1000;
/** Answers kept for one pattern, and for all of them. */
const ANSWERS_MAX = 10_000;
const ALL_ANSWERS_MAX = 200_000;

const compiledPatterns = new Map<string, AnchoredPattern>();
let answerCount = 0;

function forgetPatterns(): void {
  compiledPatterns.clear();
  answerCount = 0;
}

/**
 * Compiles in linear-time RE2 semantics; user patterns never reach V8's RegExp. Lists of words, prefixes and suffixes
 * need no engine, and the engine's answers are remembered per text. Throws bad_data with Go's text.
 */
export function compileAnchored(pattern: string): AnchoredPattern {
  const known = compiledPatterns.get(pattern);
  if (known) return known;
  const shape = shapeOf(pattern);
  const compiled = new CompiledPattern(pattern, shape, shape ? undefined : compileRe2(pattern));
  if (compiledPatterns.size >= PATTERNS_MAX) forgetPatterns();
  if (pattern.length <= KEPT_PATTERN_SIZE_MAX) compiledPatterns.set(pattern, compiled);
  return compiled;
}

/** A pattern that is looked for anywhere in a text. */
export interface SearchPattern {
  found(text: string): boolean;
}

/** As compileAnchored, but a match may be any part of the text. Throws bad_data. */
export function compileSearch(pattern: string): SearchPattern {
  const compiled = compileRe2(pattern, false);
  return { found: (text) => compiled.matcher(text).find() };
}

class CompiledPattern implements AnchoredPattern {
  readonly literals: readonly string[] | undefined;
  readonly matches: (text: string) => boolean;
  readonly #pattern: string;
  #compiled: RE2JS | undefined;

  constructor(pattern: string, shape: PatternShape | undefined, compiled: RE2JS | undefined) {
    this.#pattern = pattern;
    this.#compiled = compiled;
    this.literals = shape && shape.wildcards.length === 0 ? shape.literals : undefined;
    this.matches = compiled ? remembered((text) => compiled.matches(text)) : shapeMatcher(shape!);
  }

  expand(text: string, template: string): string | undefined {
    if (!this.matches(text)) return undefined;
    this.#compiled ??= compileRe2(this.#pattern);
    const matcher = this.#compiled.matcher(text);
    if (!matcher.matches()) return undefined;
    return expandTemplate(template, (name) => groupText(matcher, name));
  }
}

function shapeMatcher({ literals, wildcards }: PatternShape): (text: string) => boolean {
  const only = wildcards[0];
  if (only && wildcards.length === 1 && literals.length === 0) return (text) => matchesWildcard(only, text);
  const [first] = literals;
  if (wildcards.length === 0 && literals.length === 1) return (text) => text === first;
  const set = new Set(literals);
  if (wildcards.length === 0) return (text) => set.has(text);
  return (text) => set.has(text) || wildcards.some((wildcard) => matchesWildcard(wildcard, text));
}

function remembered(test: (text: string) => boolean): (text: string) => boolean {
  const answers = new Map<string, boolean>();
  return (text) => {
    let answer = answers.get(text);
    if (answer === undefined) {
      answer = test(text);
      if (answers.size >= ANSWERS_MAX) answers.clear();
      answers.set(text, answer);
      if (++answerCount > ALL_ANSWERS_MAX) forgetPatterns();
    }
    return answer;
  };
}

function compileRe2(pattern: string, dotAll = true): RE2JS {
  try {
    return dotAll ? RE2JS.compile(pattern, RE2JS.DOTALL) : RE2JS.compile(pattern);
  } catch (error) {
    throw new CodedError('bad_data', goMessage(errorText(error)), { cause: error });
  }
}

/** The engine's messages are Go's, but for the flag it puts in front of the pattern. */
function goMessage(message: string): string {
  const text = message.startsWith('error parsing regexp: ') ? message : `error parsing regexp: ${message}`;
  return text.endsWith('trailing backslash at end of expression') ? `${text}: \`\`` : text.replace('`(?s)', '`');
}

// `$name` takes the longest run of letters, digits and underscores, so `$1x` is the group named "1x".
const REFERENCE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

function expandTemplate(template: string, group: (name: string) => string): string {
  return template.replace(REFERENCE, (whole: string, bare: string | undefined, braced: string | undefined) =>
    whole === '$$' ? '$' : group(bare ?? braced ?? ''),
  );
}

function groupText(matcher: ReturnType<RE2JS['matcher']>, name: string): string {
  if (/^\d+$/.test(name)) {
    const index = Number(name);
    return index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
  }
  return matcher.pattern().namedGroups()[name] === undefined ? '' : (matcher.group(name) ?? '');
}
