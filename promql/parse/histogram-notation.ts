import {
  FloatHistogram,
  NO_BOUNDS,
  type CounterResetHint,
  type FloatHistogramFields,
} from '../../model/float-histogram.ts';
import { addHistograms, subtractHistograms } from '../../model/histogram-arithmetic.ts';
import { CUSTOM_SCHEMA, isExponentialSchema } from '../../model/histogram-bounds.ts';
import { bucketRun } from '../../model/histogram-buckets.ts';
import { quoteGo } from '../../model/labels.ts';
import { errorText } from '../../util/errors.ts';
import { ParseError } from './errors.ts';
import { parseNumber } from './numbers.ts';

// `{{schema:1 count:22 sum:3 z_bucket:2 z_bucket_w:0.001 buckets:[5 10 7] offset:-3 n_buckets:[4 5] n_offset:1
// counter_reset_hint:gauge custom_values:[1 2]}}`: a histogram in test scripts; every key may be left out.

/** A histogram as a script gives it. */
export interface HistogramValue {
  readonly histogram: FloatHistogram;
  /** The text says something about counter resets. */
  readonly hasHint: boolean;
}

type Item = number | Float64Array | CounterResetHint;
type ItemKind = 'integer' | 'number' | 'list' | 'hint';

const ITEM_KINDS: ReadonlyMap<string, ItemKind> = new Map([
  ['schema', 'integer'],
  ['sum', 'number'],
  ['count', 'number'],
  ['z_bucket', 'number'],
  ['z_bucket_w', 'number'],
  ['offset', 'integer'],
  ['n_offset', 'integer'],
  ['buckets', 'list'],
  ['n_buckets', 'list'],
  ['custom_values', 'list'],
  ['counter_reset_hint', 'hint'],
]);

const HINTS: readonly CounterResetHint[] = ['unknown', 'reset', 'not_reset', 'gauge'];

/** So that an index and its neighbours stay in 32 bits. */
const OFFSET_MAX = 2 ** 30;

/** Whether a histogram begins at `start`. */
export function isHistogramAt(line: string, start: number): boolean {
  return line.startsWith('{{', start);
}

/** Parses the histogram that begins at `start`; `end` is the index behind it. Throws ParseError. */
export function parseHistogram(line: string, start: number): { value: HistogramValue; end: number } {
  return new HistogramReader(line, start + 2).run();
}

const SPACES = /[ \t\r\n]+/y;
const WORD = /[A-Za-z_]+/y;
const NUMBER = /(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?/y;
const SPECIAL = /(?:[iI][nN][fF]|[nN][aA][nN])(?!\w)/y;

class HistogramReader {
  readonly #line: string;
  #index: number;
  readonly #items = new Map<string, Item>();

  constructor(line: string, start: number) {
    this.#line = line;
    this.#index = start;
  }

  run(): { value: HistogramValue; end: number } {
    const hasSpace = this.#take(SPACES) !== undefined;
    while (!this.#takeText('}}')) {
      if (hasSpace && this.#items.size === 0) throw this.#unexpected();
      if (this.#items.size > 0 && !this.#hasSpaceBefore()) throw this.#unexpected();
      this.#readItem();
      this.#take(SPACES);
    }
    const hasHint = this.#items.has('counter_reset_hint');
    return { value: { histogram: this.#build(), hasHint }, end: this.#index };
  }

  #hasSpaceBefore(): boolean {
    return /\s/.test(this.#line[this.#index - 1]!);
  }

  #readItem(): void {
    const start = this.#index;
    const word = this.#take(WORD);
    if (word === undefined) throw this.#unexpected();
    const name = word.toLowerCase();
    const kind = ITEM_KINDS.get(name);
    if (!kind) throw this.#error(`bad histogram descriptor found: ${quoteGo(word)}`, start);
    if (!this.#takeText(':')) throw this.#error('missing `:` for histogram descriptor', start);
    const item = this.#readValue(kind);
    if (this.#items.has(name)) {
      throw new ParseError(`duplicate key ${quoteGo(name)} in histogram`, { start: 0, end: 0 }, this.#line);
    }
    this.#items.set(name, item);
  }

  #readValue(kind: ItemKind): Item {
    if (kind === 'list') return this.#readList();
    if (kind === 'hint') return this.#readHint();
    const start = this.#index;
    const number = this.#readNumber();
    if (kind === 'integer' && !(Number.isInteger(number) && Math.abs(number) <= OFFSET_MAX)) {
      throw this.#error(`want a whole number between -2^30 and 2^30, got ${number}`, start);
    }
    return number;
  }

  #readHint(): CounterResetHint {
    const start = this.#index;
    const word = this.#take(WORD) ?? '';
    const hint = HINTS.find((each) => each === word.toLowerCase());
    if (hint === undefined) throw this.#error(`bad histogram descriptor found: ${quoteGo(word)}`, start);
    return hint;
  }

  #readList(): Float64Array {
    if (!this.#takeText('[')) throw this.#unexpected();
    if (this.#takeText(']')) return NO_BOUNDS;
    const values = [this.#readNumber()];
    while (!this.#takeText(']')) {
      if (this.#take(SPACES) === undefined) throw this.#unexpected();
      if (this.#line[this.#index] !== ']') values.push(this.#readNumber());
    }
    return Float64Array.from(values);
  }

  #readNumber(): number {
    const start = this.#index;
    const sign = this.#takeText('-') ? -1 : 1;
    const text = this.#take(NUMBER) ?? this.#take(SPECIAL);
    if (text === undefined) throw this.#unexpected();
    try {
      return sign * parseNumber(text);
    } catch (error) {
      throw this.#error(errorText(error), start);
    }
  }

  #build(): FloatHistogram {
    const number = (name: string): number => (this.#items.get(name) as number | undefined) ?? 0;
    const list = (name: string): Float64Array => (this.#items.get(name) as Float64Array | undefined) ?? NO_BOUNDS;
    const schema = number('schema');
    const isCustom = schema === CUSTOM_SCHEMA;
    if (!isCustom && !isExponentialSchema(schema)) throw this.#error(`histogram has invalid schema ${schema}`, 0);
    const fields: FloatHistogramFields = {
      hint: (this.#items.get('counter_reset_hint') as CounterResetHint | undefined) ?? 'unknown',
      schema,
      zeroThreshold: isCustom ? 0 : number('z_bucket_w'),
      zeroCount: isCustom ? 0 : number('z_bucket'),
      count: number('count'),
      sum: number('sum'),
      positive: bucketRun(number('offset'), list('buckets')),
      negative: bucketRun(number('n_offset'), isCustom ? NO_BOUNDS : list('n_buckets')),
      customBounds: isCustom ? list('custom_values') : NO_BOUNDS,
    };
    return new FloatHistogram(fields);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    const found = pattern.exec(this.#line)?.[0];
    if (found !== undefined) this.#index += found.length;
    return found;
  }

  #takeText(text: string): boolean {
    if (!this.#line.startsWith(text, this.#index)) return false;
    this.#index += text.length;
    return true;
  }

  #unexpected(): ParseError {
    const char = this.#line[this.#index];
    const what = char === undefined ? 'end of input' : quoteGo(char);
    return this.#error(`unexpected ${what} in series values`, this.#index);
  }

  #error(detail: string, start: number): ParseError {
    return new ParseError(detail, { start, end: start + 1 }, this.#line);
  }
}

/**
 * The histograms base, base + change, base + 2 change, ... (or less them), `times` + 1 of them. An error is told
 * at `place` of the line.
 */
export function histogramSeries(
  base: HistogramValue,
  change: HistogramValue,
  options: { readonly sign: '+' | '-'; readonly times: number; readonly line: string; readonly place: number },
): HistogramValue[] {
  const { sign, times, line, place } = options;
  const combine = sign === '+' ? addHistograms : subtractHistograms;
  const series = [{ histogram: base.histogram, hasHint: change.hasHint }];
  let current = base.histogram;
  for (let i = 0; i < times; i++) {
    const isWider = current.schema > change.histogram.schema;
    const combined = isWider ? undefined : combine(current, change.histogram);
    if (!combined) {
      const schemas = `from schema ${change.histogram.schema} to ${current.schema}`;
      throw new ParseError(
        `error combining histograms: cannot merge ${schemas}`,
        { start: place, end: place + 1 },
        line,
      );
    }
    current = combined.histogram;
    series.push({ histogram: current, hasHint: change.hasHint });
  }
  return series;
}
