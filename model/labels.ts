import { compareUtf8 } from '../util/utf8.ts';

export const METRIC_NAME = '__name__';

/**
 * An immutable label set: names ascending by UTF-8 bytes, each once, no empty value (an empty label is an absent one).
 * `flat` is [name0, value0, name1, value1, ...].
 */
export class Labels {
  static readonly EMPTY = new Labels([]);
  readonly flat: readonly string[];

  /** Trusts its argument: use the factories below unless the pairs are sorted, unique and non-empty already. */
  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  static fromObject(object: Readonly<Record<string, string>>): Labels {
    return Labels.fromPairs(Object.entries(object));
  }

  /** Sorts, drops empty values; of a repeated name the last wins. */
  static fromPairs(pairs: Iterable<readonly [string, string]>): Labels {
    const byName = new Map<string, string>();
    for (const [name, value] of pairs) byName.set(name, value);
    const kept = [...byName].filter(([, value]) => value !== '');
    kept.sort((a, b) => compareUtf8(a[0], b[0]));
    return kept.length === 0 ? Labels.EMPTY : new Labels(kept.flat());
  }

  /** Number of labels. */
  get size(): number {
    return this.flat.length >> 1;
  }

  /** The value of a label; '' when it is absent, which PromQL does not tell apart from empty. */
  get(name: string): string {
    const flat = this.flat;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1]!;
    return '';
  }

  has(name: string): boolean {
    return this.get(name) !== '';
  }

  get metricName(): string {
    return this.get(METRIC_NAME);
  }

  equals(other: Labels): boolean {
    if (this === other) return true;
    const a = this.flat;
    const b = other.flat;
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  }

  /** A copy without the named labels; `this` when it has none of them. */
  without(names: ReadonlySet<string>): Labels {
    return this.#filtered((name) => !names.has(name));
  }

  /** A copy with only the named labels. */
  only(names: ReadonlySet<string>): Labels {
    return this.#filtered((name) => names.has(name));
  }

  /** A copy with one label set; an empty value removes it. */
  with(name: string, value: string): Labels {
    const pairs = [...this.entries()].filter(([other]) => other !== name);
    return Labels.fromPairs([...pairs, [name, value]]);
  }

  *entries(): Generator<[string, string]> {
    for (let i = 0; i < this.flat.length; i += 2) yield [this.flat[i]!, this.flat[i + 1]!];
  }

  /** A key equal exactly for equal label sets; names and values cannot contain its separators (0xFF in UTF-8 terms). */
  key(): string {
    return this.flat.join('\uffff');
  }

  toObject(): Record<string, string> {
    return Object.fromEntries(this.entries());
  }

  /** Prometheus' text form: `{__name__="up", job="x"}` with Go-quoted values; UTF-8 names are quoted. */
  toString(): string {
    const parts: string[] = [];
    for (const [name, value] of this.entries()) parts.push(`${quoteName(name)}=${quoteGo(value)}`);
    return `{${parts.join(', ')}}`;
  }

  /** Prometheus' order: pairwise by name then value, bytes ascending; a prefix sorts first. */
  static compare(a: Labels, b: Labels): number {
    const length = Math.min(a.flat.length, b.flat.length);
    for (let i = 0; i < length; i++) {
      const order = compareUtf8(a.flat[i]!, b.flat[i]!);
      if (order !== 0) return order;
    }
    return a.flat.length - b.flat.length;
  }

  #filtered(keep: (name: string) => boolean): Labels {
    const flat = this.flat;
    const kept: string[] = [];
    for (let i = 0; i < flat.length; i += 2) if (keep(flat[i]!)) kept.push(flat[i]!, flat[i + 1]!);
    if (kept.length === flat.length) return this;
    return kept.length === 0 ? Labels.EMPTY : new Labels(kept);
  }
}

const LEGACY_LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LEGACY_METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** True for names that PromQL writes without quotes. */
export function isLegacyLabelName(name: string): boolean {
  return LEGACY_LABEL_NAME.test(name);
}

export function isLegacyMetricName(name: string): boolean {
  return LEGACY_METRIC_NAME.test(name);
}

function quoteName(name: string): string {
  return isLegacyLabelName(name) ? name : quoteGo(name);
}

const GO_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\r', '\\r'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\v', '\\v'],
]);
/** What Go does not print as it is: all but letters, marks, numbers, punctuation, symbols and the space. */
const NEEDS_ESCAPE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** Quotes like Go's strconv.Quote. A lone surrogate U+DC80 to U+DCFF stands for a byte that is not UTF-8. */
export function quoteGo(text: string): string {
  return `"${text.replace(NEEDS_ESCAPE, escapeGo)}"`;
}

function escapeGo(char: string): string {
  const named = GO_ESCAPES.get(char);
  if (named !== undefined) return named;
  const code = char.codePointAt(0)!;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
