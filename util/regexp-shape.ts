// Most patterns of label matchers are lists of words, prefixes or suffixes. This reads such patterns without a regular
// expression engine; every pattern it is not sure of is left to the engine.

/** A pattern as pieces of text with anything between them; anchored at both ends. */
export interface Wildcard {
  /** The text starts with the first and ends with the last of these; the others come between in this order. */
  readonly pieces: readonly string[];
  /** Fewest characters between neighbouring pieces: 0 for `.*`, 1 for `.+`. */
  readonly gaps: readonly number[];
}

/** What a pattern matches: one of some texts, or one of some wildcards. */
export interface PatternShape {
  readonly literals: readonly string[];
  readonly wildcards: readonly Wildcard[];
}

/** Texts and wildcards a pattern may be spelled out into. */
const SPELLINGS_MAX = 2000;
const WILDCARDS_MAX = 32;

/** A gap is a number, the fewest characters in it; a text is itself. */
type Part = string | number;
type Spelling = readonly Part[];

/** The shape of an RE2 pattern in which the dot matches everything; undefined when it has another one. */
export function shapeOf(pattern: string): PatternShape | undefined {
  const reader = new ShapeReader(pattern);
  const spellings = reader.readAll();
  if (!spellings) return undefined;
  const literals: string[] = [];
  const wildcards: Wildcard[] = [];
  for (const spelling of spellings) {
    const shape = toWildcard(spelling);
    if (!shape) return undefined;
    if (shape.gaps.length === 0) literals.push(shape.pieces[0]!);
    else wildcards.push(shape);
  }
  return wildcards.length > WILDCARDS_MAX ? undefined : { literals, wildcards };
}

export function matchesWildcard({ pieces, gaps }: Wildcard, text: string): boolean {
  const first = pieces[0]!;
  const last = pieces[pieces.length - 1]!;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let position = first.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = text.indexOf(pieces[i]!, position + gaps[i - 1]!);
    if (found < 0) return false;
    position = found + pieces[i]!.length;
  }
  return text.length - last.length >= position + gaps[gaps.length - 1]!;
}

/** Neighbouring texts joined; undefined when two gaps in a row ask for more than one character. */
function toWildcard(spelling: Spelling): Wildcard | undefined {
  const pieces: string[] = [''];
  const gaps: number[] = [];
  let afterGap = false;
  for (const part of spelling) {
    if (part === '') continue;
    if (typeof part === 'string') {
      pieces[pieces.length - 1] += part;
      afterGap = false;
    } else if (afterGap) {
      const sum = gaps[gaps.length - 1]! + part;
      if (sum > 1) return undefined;
      gaps[gaps.length - 1] = sum;
    } else {
      gaps.push(part);
      pieces.push('');
      afterGap = true;
    }
  }
  return { pieces, gaps };
}

const SPECIAL = new Set('\\.+*?()|[]{}^$');
const GROUP = /\((?:\?:)?(?!\?)/y;
/** Groups within each other, and items of one sequence, that are read here. */
const DEPTH_MAX = 20;
const ITEMS_MAX = 100;

class ShapeReader {
  readonly #pattern: string;
  #index = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  readAll(): readonly Spelling[] | undefined {
    const spellings = this.#readAlternatives(true);
    return this.#index === this.#pattern.length ? spellings : undefined;
  }

  #readAlternatives(isTop: boolean): readonly Spelling[] | undefined {
    const all: Spelling[] = [];
    for (;;) {
      const some = this.#readSequence(isTop);
      if (!some || all.length + some.length > SPELLINGS_MAX) return undefined;
      for (const spelling of some) all.push(spelling);
      if (this.#peek() !== '|') return all;
      this.#index++;
    }
  }

  /** Up to `|`, `)` or the end. Anchors say nothing new at the ends of a whole pattern. */
  #readSequence(isTop: boolean): readonly Spelling[] | undefined {
    let spellings: readonly Spelling[] = [[]];
    if (isTop && this.#peek() === '^') this.#index++;
    for (let count = 0; count < ITEMS_MAX; count++) {
      const char = this.#peek();
      if (char === undefined || char === '|' || char === ')') return spellings;
      if (isTop && char === '$' && this.#atEndOfSequence()) {
        this.#index++;
        return spellings;
      }
      const item = this.#readItem();
      if (!item || spellings.length * item.length > SPELLINGS_MAX) return undefined;
      spellings = item.length === 1 ? spellings.map((each) => each.concat(item[0]!)) : product(spellings, item);
    }
    return undefined;
  }

  #atEndOfSequence(): boolean {
    const next = this.#pattern[this.#index + 1];
    return next === undefined || next === '|';
  }

  #readItem(): readonly Spelling[] | undefined {
    const char = this.#peek()!;
    if (char === '.') return this.#readGap();
    const item = char === '(' ? this.#readGroup() : this.#readText();
    if (!item) return undefined;
    if (this.#peek() === '?') {
      this.#index++;
      return this.#isQuantifier() ? undefined : [...item, []];
    }
    return this.#isQuantifier() ? undefined : item;
  }

  /** `.*` or `.+`, lazy or not; a lone dot is one character, which this does not deal with. */
  #readGap(): readonly Spelling[] | undefined {
    const quantifier = this.#pattern[this.#index + 1];
    if (quantifier !== '*' && quantifier !== '+') return undefined;
    this.#index += 2;
    if (this.#peek() === '?') this.#index++;
    return this.#isQuantifier() ? undefined : [[quantifier === '*' ? 0 : 1]];
  }

  #readGroup(): readonly Spelling[] | undefined {
    GROUP.lastIndex = this.#index;
    const open = GROUP.exec(this.#pattern);
    if (!open || this.#depth === DEPTH_MAX) return undefined;
    this.#index += open[0].length;
    this.#depth++;
    const inside = this.#readAlternatives(false);
    this.#depth--;
    if (!inside || this.#peek() !== ')') return undefined;
    this.#index++;
    return inside;
  }

  /** Plain characters; the last is left for the next item where a quantifier follows it. */
  #readText(): readonly Spelling[] | undefined {
    let text = '';
    for (;;) {
      const start = this.#index;
      const char = this.#readCharacter();
      if (char === undefined) break;
      if (text !== '' && this.#isQuantifier()) {
        this.#index = start;
        break;
      }
      text += char;
    }
    return text === '' ? undefined : [[text]];
  }

  #readCharacter(): string | undefined {
    const code = this.#pattern.codePointAt(this.#index);
    if (code === undefined) return undefined;
    const char = String.fromCodePoint(code);
    if (char === '\\') {
      const escaped = this.#pattern[this.#index + 1];
      if (escaped === undefined || !/[!-/:-@[-^`{-~]/.test(escaped)) return undefined;
      this.#index += 2;
      return escaped;
    }
    if (SPECIAL.has(char)) return undefined;
    this.#index += char.length;
    return char;
  }

  #isQuantifier(): boolean {
    const char = this.#peek();
    return char === '*' || char === '+' || char === '?' || char === '{';
  }

  #peek(): string | undefined {
    return this.#pattern[this.#index];
  }
}

function product(heads: readonly Spelling[], tails: readonly Spelling[]): Spelling[] {
  const all: Spelling[] = [];
  for (const head of heads) for (const tail of tails) all.push(head.concat(tail));
  return all;
}
