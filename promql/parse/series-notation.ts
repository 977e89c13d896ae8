import { Labels, METRIC_NAME, quoteGo } from '../../model/labels.ts';
import type { Span } from '../../model/annotations.ts';
import type { IToken } from 'chevrotain';
import { errorText } from '../../util/errors.ts';
import { ParseError } from './errors.ts';
import { histogramSeries, isHistogramAt, parseHistogram, type HistogramValue } from './histogram-notation.ts';
import { lex } from './lex.ts';
import { parseNumber } from './numbers.ts';
import { spanOf } from './spans.ts';
import { unquote } from './strings.ts';
import {
  describeToken,
  LabelName,
  LeftBrace,
  LexError,
  MatchEql,
  Comma,
  MetricName,
  RightBrace,
  StringToken,
} from './tokens.ts';

// The notation of samples in test scripts and rule unit tests: `name{l="v"} 1 2+3x4 _x2 stale`.

/** A point: its value, no sample at all, or a staleness marker. */
export type SequenceValue = number | HistogramValue | 'absent' | 'stale';

export interface SeriesNotation {
  readonly labels: Labels;
  /** One a step. */
  readonly values: readonly SequenceValue[];
}

/** Points one line may stand for. */
const VALUES_MAX = 1_000_000;

/** Parses one series and its points. Throws ParseError as Prometheus words it. */
export function parseSeriesNotation(line: string): SeriesNotation {
  const { labels, end } = parseMetric(line);
  return { labels, values: new ValueScanner(line, end).run() };
}

/** Parses the metric at the start of a line; `end` is the index behind it. */
function parseMetric(line: string): { labels: Labels; end: number } {
  return new MetricReader(line).run();
}

const IN_LABELS = ' in label set, expected ';

class MetricReader {
  readonly #line: string;
  readonly #tokens: readonly IToken[];
  #index = 0;

  constructor(line: string) {
    this.#line = line;
    this.#tokens = lex(line);
  }

  run(): { labels: Labels; end: number } {
    const pairs: [string, string][] = [];
    let end = 0;
    const first = this.#tokens[0];
    if (first && (first.tokenType.CATEGORIES ?? []).includes(MetricName)) {
      pairs.push([METRIC_NAME, first.image]);
      end = spanOf(first).end;
      this.#index = 1;
    }
    const open = this.#tokens[this.#index];
    if (open?.tokenType === LeftBrace && open.startOffset === end) end = this.#readBraces(pairs);
    else if (end === 0 && first) throw this.#unexpected(first, '');
    return { labels: Labels.fromPairs(pairs), end };
  }

  #readBraces(pairs: [string, string][]): number {
    this.#index++;
    while (this.#peek().tokenType !== RightBrace) {
      pairs.push(this.#readLabel());
      if (this.#peek().tokenType === RightBrace) break;
      this.#expect(Comma, '"," or "}"');
    }
    return spanOf(this.#next()).end;
  }

  #readLabel(): [string, string] {
    const name = this.#next();
    if (name.tokenType === LabelName) {
      this.#expect(MatchEql, '"="');
      return [name.image, this.#readValue()];
    }
    if (name.tokenType !== StringToken) throw this.#unexpected(name, `${IN_LABELS}identifier or "}"`);
    const text = unquote(name.image);
    if (this.#peek().tokenType !== MatchEql) return [METRIC_NAME, text];
    this.#next();
    return [text, this.#readValue()];
  }

  #readValue(): string {
    return unquote(this.#expect(StringToken, 'string').image);
  }

  #expect(type: IToken['tokenType'], expected: string): IToken {
    const token = this.#next();
    if (token.tokenType !== type) throw this.#unexpected(token, IN_LABELS + expected);
    return token;
  }

  /** The text always goes on inside braces: their end is a token, and so is its lack. */
  #peek(): IToken {
    return this.#tokens[this.#index]!;
  }

  #next(): IToken {
    return this.#tokens[this.#index++]!;
  }

  #unexpected(token: IToken, place: string): ParseError {
    const detail = token.tokenType === LexError ? String(token.payload) : `unexpected ${describeToken(token)}${place}`;
    return new ParseError(detail, spanOf(token), this.#line);
  }
}

const SPACES = /[ \t\r\n]+/y;
const NUMBER = /(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?(?![a-wyzA-Z_\d.])/y;
const SPECIAL = /(?:[iI][nN][fF]|[nN][aA][nN])(?![\w:])/y;
const WORD = /[A-Za-z_:][\w:]*/y;
const DIGITS = /\d+(?![\w.])/y;

class ValueScanner {
  readonly #line: string;
  #index: number;
  readonly #values: SequenceValue[] = [];

  constructor(line: string, start: number) {
    this.#line = line;
    this.#index = start;
  }

  run(): readonly SequenceValue[] {
    while (this.#index < this.#line.length) {
      if (this.#take(SPACES) === undefined) throw this.#unexpected('');
      if (this.#index < this.#line.length) this.#readItem();
    }
    return this.#values;
  }

  #readItem(): void {
    if (this.#takeChar('_')) {
      const times = this.#readTimes();
      this.#repeat('absent', times ?? 1);
      return;
    }
    if (isHistogramAt(this.#line, this.#index)) {
      this.#readHistograms();
      return;
    }
    const value = this.#readValue();
    if (value === 'stale') {
      this.#repeat(value, (this.#readTimes() ?? 0) + 1);
      return;
    }
    const sign = this.#line[this.#index];
    if (sign !== '+' && sign !== '-') {
      this.#repeat(value, (this.#readTimes() ?? 0) + 1);
      return;
    }
    const change = this.#readSigned();
    const times = this.#readTimes();
    if (times === undefined) throw this.#unexpected(' in series values');
    this.#checkCount(times + 1);
    for (let i = 0, each = value; i <= times; i++, each += change) this.#values.push(each);
  }

  #readHistograms(): void {
    const base = this.#readHistogram();
    const sign = this.#line[this.#index];
    if (sign !== '+' && sign !== '-') {
      this.#repeat(base, (this.#readTimes() ?? 0) + 1);
      return;
    }
    this.#index++;
    if (!isHistogramAt(this.#line, this.#index)) throw this.#unexpected(' in series values');
    const change = this.#readHistogram();
    const place = this.#index + 1;
    const times = this.#readTimes();
    if (times === undefined) throw this.#unexpected(' in series values');
    this.#checkCount(times + 1);
    this.#values.push(...histogramSeries(base, change, { sign, times, line: this.#line, place }));
  }

  #readHistogram(): HistogramValue {
    const { value, end } = parseHistogram(this.#line, this.#index);
    this.#index = end;
    return value;
  }

  #readValue(): number | 'stale' {
    const char = this.#line[this.#index] ?? '';
    if (char === '+' || char === '-') return this.#readSigned();
    const number = this.#readNumber();
    if (number !== undefined) return number;
    const start = this.#index;
    const word = this.#take(WORD);
    if (word === 'stale') return 'stale';
    this.#index = start;
    throw this.#unexpected(word === undefined ? ' in series values' : ' in series values, expected number or "stale"');
  }

  #readSigned(): number {
    const isMinus = this.#line[this.#index] === '-';
    this.#index++;
    const number = this.#readNumber();
    if (number === undefined) throw this.#unexpected(' in series values');
    return isMinus ? -number : number;
  }

  #readNumber(): number | undefined {
    const start = this.#index;
    const text = this.#take(NUMBER) ?? this.#take(SPECIAL);
    if (text === undefined) return undefined;
    try {
      return parseNumber(text);
    } catch (error) {
      throw new ParseError(errorText(error), { start, end: this.#index }, this.#line);
    }
  }

  /** The number behind `x`; undefined when there is no `x`. */
  #readTimes(): number | undefined {
    if (!this.#takeChar('x')) return undefined;
    const digits = this.#take(DIGITS);
    if (digits === undefined) throw this.#unexpected(' in series values');
    const times = Number(digits);
    this.#checkCount(times);
    return times;
  }

  #repeat(value: SequenceValue, count: number): void {
    this.#checkCount(count);
    for (let i = 0; i < count; i++) this.#values.push(value);
  }

  #checkCount(count: number): void {
    if (this.#values.length + count <= VALUES_MAX) return;
    throw this.#error(`series has more than ${VALUES_MAX} points`, 0);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    const found = pattern.exec(this.#line)?.[0];
    if (found !== undefined) this.#index += found.length;
    return found;
  }

  #takeChar(char: string): boolean {
    if (this.#line[this.#index] !== char) return false;
    this.#index++;
    return true;
  }

  #unexpected(place: string): ParseError {
    const rest = this.#line.slice(this.#index);
    return this.#error(`unexpected ${describeRest(rest)}${place}`, rest.length === 0 ? 0 : 1);
  }

  #error(detail: string, size: number): ParseError {
    const span: Span = { start: this.#index, end: this.#index + size };
    return new ParseError(detail, span, this.#line);
  }
}

function describeRest(rest: string): string {
  if (rest === '') return 'end of input';
  const word = /^[A-Za-z_:][\w:]*/.exec(rest)?.[0];
  if (word !== undefined) return `identifier ${quoteGo(word)}`;
  const number = /^[\d.]+/.exec(rest)?.[0];
  if (number !== undefined) return `number ${quoteGo(number)}`;
  const char = rest[0]!;
  return char === '+' || char === '-' ? `<op:${char}>` : quoteGo(char);
}
