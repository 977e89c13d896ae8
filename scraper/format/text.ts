// The Prometheus text exposition format 0.0.4 and 1.0.0, whole grammar, byte by byte. This is the path of lines that
// the positional cache (scraper/ingest.ts) does not know yet, and of broken lines: its tokens, states and error texts
// are Prometheus' own. Specification: docs/scraping.md.
import { FloatParser } from '../../util/parse-float.ts';
import { formatOpenMetricsFloat, quoteBytes } from './quote.ts';
import type { MetricType } from '../../model/metadata.ts';
import { METRIC_NAME } from '../../model/labels.ts';
import { unreachable } from '../../util/assert.ts';
import { CodedError } from '../../util/errors.ts';

export type TextEntry = 'series' | 'help' | 'type' | 'comment' | 'end';

type Token =
  | 'INVALID'
  | 'EOF'
  | 'LINEBREAK'
  | 'WHITESPACE'
  | 'HELP'
  | 'TYPE'
  | 'TEXT'
  | 'COMMENT'
  | 'MNAME'
  | 'QSTRING'
  | 'BOPEN'
  | 'BCLOSE'
  | 'LNAME'
  | 'LVALUE'
  | 'COMMA'
  | 'EQUAL'
  | 'TIMESTAMP'
  | 'VALUE';

type State = 'line' | 'metaName' | 'metaText' | 'value' | 'labels' | 'labelValue' | 'timestamp';

/** Types as they are written after `# TYPE`. */
const TYPES: ReadonlyMap<string, MetricType> = new Map([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['summary', 'summary'],
  ['untyped', 'unknown'],
]);

const LETTER = 1;
const COLON = 2;
const DIGIT = 4;
const CLASSES = Uint8Array.from({ length: 256 }, (_, c) => {
  if (c === 0x5f || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a)) return LETTER;
  if (c === 0x3a) return COLON;
  return c >= 0x30 && c <= 0x39 ? DIGIT : 0;
});
const METRIC_START = LETTER | COLON;
const utf8Strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A line that is not in the format; `line` is 1-based, `text` what stands on it. */
export class ExpositionError extends CodedError {
  constructor(message: string, line?: { readonly number: number; readonly text: string }) {
    super('bad_data', line ? `${message} (line ${line.number}: ${line.text})` : message);
  }
}

/** At most this many bytes of a broken line are shown. */
const LINE_SHOWN_MAX = 200;

/**
 * Walks over a body entry by entry. `next()` says what it found and fills the fields of that kind; spans are byte
 * offsets into the body. Reused from body to body by `reset`.
 */
export class TextParser {
  /** Where the next entry starts; may be set to the start of any line. */
  position = 0;
  /** Series: from the start of its line to where its value begins: what the positional cache compares. */
  keyStart = 0;
  valueStart = 0;
  /** The value of the last series, as words. */
  hi = 0;
  lo = 0;
  hasTimestamp = false;
  timestampMs = 0;
  /** The type in force, which decides how `le` and `quantile` are written. */
  type: MetricType = 'unknown';

  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;
  #state: State = 'line';
  #tokenStart = 0;
  #i = 0;
  #nameStart = -1;
  #nameEnd = -1;
  /** Per label: start and end of its name, start and end of its value, quotes left out. */
  #labelSpans: number[] = [];
  #textStart = 0;
  #textEnd = 0;
  readonly #float = new FloatParser();

  /** `bytes[0, end)` is the body and `bytes[end - 1]` a newline. Lent until the next call. */
  reset(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#end = end;
    this.position = 0;
    this.type = 'unknown';
  }

  /** Throws ExpositionError for a line outside the format. */
  next(): TextEntry {
    this.#i = this.position;
    this.#state = 'line';
    for (;;) {
      this.keyStart = this.#i;
      const token = this.#token();
      if (token === 'EOF') return 'end';
      if (token === 'LINEBREAK') continue;
      const entry = this.#entry(token);
      this.position = this.#i;
      return entry;
    }
  }

  #entry(token: Token): TextEntry {
    if (token === 'HELP' || token === 'TYPE') return this.#meta(token);
    if (token === 'COMMENT') {
      this.#textStart = this.#tokenStart;
      this.#textEnd = this.#i;
      if (this.#token() !== 'LINEBREAK') throw this.#error('linebreak expected after comment', 'INVALID');
      return 'comment';
    }
    if (token !== 'BOPEN' && token !== 'MNAME') throw this.#error('expected a valid start token', token);
    this.#labelSpans.length = 0;
    this.#nameStart = token === 'MNAME' ? this.keyStart : -1;
    this.#nameEnd = this.#i;
    let after = token === 'BOPEN' ? token : this.#token();
    if (after === 'BOPEN') {
      this.#labels();
      after = this.#token();
    }
    this.#sample(after);
    return 'series';
  }

  #meta(kind: 'HELP' | 'TYPE'): TextEntry {
    const token = this.#token();
    if (token !== 'MNAME') throw this.#error(`expected metric name after ${kind}`, token);
    this.#nameStart = this.#tokenStart;
    this.#nameEnd = this.#i;
    if (this.#bytes[this.#nameStart] === 0x22) {
      this.#nameStart++;
      this.#nameEnd--;
    }
    this.#token();
    // The first byte separates the name from the text, whatever it is.
    this.#textStart = Math.min(this.#tokenStart + 1, this.#i);
    this.#textEnd = this.#i;
    if (kind === 'TYPE') {
      const text = this.#bytes.toString('latin1', this.#textStart, this.#textEnd);
      const type = TYPES.get(text);
      if (type === undefined)
        throw this.#plainError(`invalid metric type ${this.#quote(this.#textStart, this.#textEnd)}`);
      this.type = type;
    } else if (this.#text(this.#textStart, this.#textEnd) === undefined) {
      const quoted = this.#quote(this.#textStart, this.#textEnd);
      throw this.#plainError(`help text ${quoted} is not a valid utf8 string`);
    }
    const end = this.#token();
    if (end !== 'LINEBREAK') throw this.#error('linebreak expected after metadata', end);
    return kind === 'HELP' ? 'help' : 'type';
  }

  /** From the opening brace to the closing one. */
  #labels(): void {
    let token = this.#token();
    while (token !== 'BCLOSE') {
      let start = this.#tokenStart;
      let end = this.#i;
      if (token !== 'LNAME' && token !== 'QSTRING') throw this.#error('expected label name', token);
      const quoted = token === 'QSTRING';
      if (quoted) {
        start++;
        end--;
      }
      token = this.#token();
      // A quoted string alone is the metric's name.
      if (quoted && (token === 'COMMA' || token === 'BCLOSE')) {
        if (this.#nameStart >= 0) throw this.#plainErrorHere('metric name already set');
        this.#nameStart = start;
        this.#nameEnd = end;
        if (token === 'COMMA') token = this.#token();
        continue;
      }
      if (token !== 'EQUAL') throw this.#error('expected equal', token);
      token = this.#token();
      if (token !== 'LVALUE') throw this.#error('expected label value', token);
      if (this.#text(this.#tokenStart, this.#i) === undefined) {
        throw this.#plainError(`invalid UTF-8 label value: ${this.#quote(this.#tokenStart, this.#i)}`);
      }
      this.#labelSpans.push(start, end, this.#tokenStart + 1, this.#i - 1);
      token = this.#token();
      if (token === 'COMMA') token = this.#token();
    }
  }

  /** Value and timestamp; `token` is the first after the series. */
  #sample(token: Token): void {
    if (this.#nameStart < 0) throw this.#plainErrorHere('metric name not set');
    if (token !== 'VALUE') throw this.#error('expected value after metric', token);
    this.valueStart = this.#tokenStart;
    if (!this.#float.parse(this.#bytes, this.#tokenStart) || this.#float.end !== this.#i) {
      const problem = this.#float.parseToken(this.#bytes.toString('latin1', this.#tokenStart, this.#i));
      if (problem !== undefined) throw this.#plainErrorHere(problem);
    }
    this.hi = this.#float.hi;
    this.lo = this.#float.lo;
    this.hasTimestamp = false;
    const after = this.#token();
    if (after === 'LINEBREAK') return;
    if (after !== 'TIMESTAMP') throw this.#error('expected timestamp or new record', after);
    this.hasTimestamp = true;
    const digits = this.#bytes.toString('latin1', this.#tokenStart, this.#i);
    if (BigInt(digits) > 0x7fffffffffffffffn) {
      throw this.#plainErrorHere(`strconv.ParseInt: parsing "${digits}": value out of range`);
    }
    this.timestampMs = Number(digits);
    const last = this.#token();
    if (last !== 'LINEBREAK') throw this.#error('expected next entry after timestamp', last);
  }

  /**
   * Name and labels of the last series as [name, value, ...] in the order exposed, the metric's name first; empty values
   * kept. `le` of a histogram and `quantile` of a summary are written as OpenMetrics writes floats.
   */
  labelPairs(): string[] {
    const pairs = [METRIC_NAME, this.#unescaped(this.#nameStart, this.#nameEnd)];
    const spans = this.#labelSpans;
    for (let i = 0; i < spans.length; i += 4) {
      const name = this.#unescaped(spans[i]!, spans[i + 1]!);
      let value = this.#unescaped(spans[i + 2]!, spans[i + 3]!);
      if ((this.type === 'histogram' && name === 'le') || (this.type === 'summary' && name === 'quantile')) {
        if (this.#float.parseToken(value) === undefined) value = formatOpenMetricsFloat(this.#float.value);
      }
      pairs.push(name, value);
    }
    return pairs;
  }

  /** The family of the last HELP or TYPE. */
  familyName(): string {
    return this.#unescaped(this.#nameStart, this.#nameEnd);
  }

  /** The text of the last HELP (escapes resolved) or comment (as it stands). */
  text(entry: 'help' | 'comment'): string {
    const text = this.#text(this.#textStart, this.#textEnd) ?? '';
    return entry === 'help' ? text.replaceAll(/\\[\\n]/g, (escape) => (escape === '\\n' ? '\n' : '\\')) : text;
  }

  #unescaped(start: number, end: number): string {
    const text = this.#text(start, end) ?? this.#bytes.toString('utf8', start, end);
    if (!text.includes('\\')) return text;
    return text.replaceAll(/\\["\\n]/g, (escape) => (escape === '\\n' ? '\n' : escape[1]!));
  }

  /** undefined for bytes that are not UTF-8. */
  #text(start: number, end: number): string | undefined {
    const bytes = this.#bytes;
    for (let i = start; i < end; i++) {
      if (bytes[i]! < 0x80) continue;
      try {
        return utf8Strict.decode(bytes.subarray(start, end));
      } catch {
        return undefined;
      }
    }
    return bytes.toString('latin1', start, end);
  }

  /** The next token that is not white space. */
  #token(): Token {
    for (;;) {
      if (this.#i >= this.#end) return 'EOF';
      this.#tokenStart = this.#i;
      const token = this.#lex();
      if (token !== 'WHITESPACE') return token;
    }
  }

  /** On INVALID, `#i` stays at the byte that does not fit, as in Prometheus' generated lexer: errors print up to it. */
  #lex(): Token {
    const c = this.#bytes[this.#i]!;
    if ((c === 0x20 || c === 0x09) && this.#state !== 'metaText') {
      this.#skipBlanks();
      return 'WHITESPACE';
    }
    switch (this.#state) {
      case 'line':
        return this.#lexLineStart(c);
      case 'metaName':
        if (c === 0x22) return this.#lexQuoted('MNAME', 'metaText');
        return this.#lexName('MNAME', METRIC_START, 'metaText');
      case 'labels':
        return this.#lexLabels(c);
      case 'labelValue':
        return c === 0x22 ? this.#lexQuoted('LVALUE', 'labels') : 'INVALID';
      case 'value':
        return this.#lexValue(c);
      case 'timestamp':
        if (c === 0x0a) return this.#lexByte('LINEBREAK', 'line');
        if (CLASSES[c] !== DIGIT) return 'INVALID';
        while (CLASSES[this.#bytes[this.#i]!] === DIGIT) this.#i++;
        return 'TIMESTAMP';
      case 'metaText':
        return this.#lexText();
      default:
        return unreachable(this.#state);
    }
  }

  #lexLineStart(c: number): Token {
    if (c === 0x0a) return this.#lexByte('LINEBREAK', 'line');
    if (c === 0x7b) return this.#lexByte('BOPEN', 'labels');
    if (c === 0x23) return this.#lexHash();
    // Prometheus takes a NUL at the start of a line for the end of the body.
    if (c === 0) return 'EOF';
    return this.#lexName('MNAME', METRIC_START, 'value');
  }

  #lexHash(): Token {
    this.#i++;
    const blanksStart = this.#i;
    this.#skipBlanks();
    const hasBlanks = this.#i > blanksStart;
    if (hasBlanks) {
      const word = this.#bytes.toString('latin1', this.#i, this.#i + 4);
      const after = this.#bytes[this.#i + 4];
      if ((word === 'HELP' || word === 'TYPE') && (after === 0x20 || after === 0x09)) {
        this.#i += 4;
        this.#skipBlanks();
        this.#state = 'metaName';
        return word;
      }
    }
    for (let c = this.#bytes[this.#i]!; c !== 0x0a; c = this.#bytes[++this.#i]!)
      if (c === 0 && !hasBlanks) return 'EOF';
    return 'COMMENT';
  }

  #lexText(): Token {
    while (this.#bytes[this.#i] !== 0x0a) this.#i++;
    this.#state = 'line';
    return 'TEXT';
  }

  #lexLabels(c: number): Token {
    if (c === 0x7d) return this.#lexByte('BCLOSE', 'value');
    if (c === 0x3d) return this.#lexByte('EQUAL', 'labelValue');
    if (c === 0x2c) return this.#lexByte('COMMA', 'labels');
    return c === 0x22 ? this.#lexQuoted('QSTRING', 'labels') : this.#lexName('LNAME', LETTER, 'labels');
  }

  #lexValue(c: number): Token {
    if (c === 0x7b) return this.#lexByte('BOPEN', 'labels');
    const start = this.#i;
    for (let b = c; b !== 0x20 && b !== 0x09 && b !== 0x0a && b !== 0x7b && b !== 0; b = this.#bytes[++this.#i]!);
    if (this.#i === start) return 'INVALID';
    this.#state = 'timestamp';
    return 'VALUE';
  }

  #lexByte(token: Token, state: State): Token {
    this.#i++;
    this.#state = state;
    return token;
  }

  #lexName(token: Token, startClass: number, state: State): Token {
    const bytes = this.#bytes;
    if ((CLASSES[bytes[this.#i]!]! & startClass) === 0) return 'INVALID';
    const classes = startClass | DIGIT;
    while ((CLASSES[bytes[this.#i]!]! & classes) !== 0) this.#i++;
    this.#state = state;
    return token;
  }

  /** A string in double quotes with backslash escapes. NUL may stand in label values only. */
  #lexQuoted(token: Token, state: State): Token {
    const bytes = this.#bytes;
    const end = this.#end;
    for (let i = this.#i + 1; ; i++) {
      let c = i < end ? bytes[i]! : -1;
      if (c === 0x5c) {
        c = ++i < end ? bytes[i]! : -1;
        if (c === 0x0a) c = -1;
        else if (c > 0) continue;
      }
      if (c === 0x22) {
        this.#i = i + 1;
        this.#state = state;
        return token;
      }
      if (c === -1 || (c === 0 && token !== 'LVALUE')) {
        this.#i = Math.min(i, end);
        return 'INVALID';
      }
    }
  }

  #skipBlanks(): void {
    while (this.#bytes[this.#i] === 0x20 || this.#bytes[this.#i] === 0x09) this.#i++;
  }

  #error(expected: string, token: Token): ExpositionError {
    const end = Math.min(this.#end, this.#i + 1);
    const got = this.#quote(this.#tokenStart, end);
    return this.#plainError(`${expected}, got ${got} ("${token}") while parsing: ${this.#quote(this.keyStart, end)}`);
  }

  #plainErrorHere(message: string): ExpositionError {
    return this.#plainError(`${message} while parsing: ${this.#quote(this.keyStart, this.#i)}`);
  }

  #plainError(message: string): ExpositionError {
    return new ExpositionError(message, this.#lineAt(this.keyStart));
  }

  /** The line that holds `offset`, for messages. */
  #lineAt(offset: number): { number: number; text: string } {
    const bytes = this.#bytes;
    let number = 1;
    for (let i = 0; i < offset; i++) if (bytes[i] === 0x0a) number++;
    const newline = bytes.indexOf(0x0a, offset);
    const end = newline < 0 || newline > this.#end ? this.#end : newline;
    const text = quoteBytes(bytes.subarray(offset, Math.min(end, offset + LINE_SHOWN_MAX)));
    return { number, text: end - offset > LINE_SHOWN_MAX ? `${text}...` : text };
  }

  #quote(start: number, end: number): string {
    return quoteBytes(this.#bytes.subarray(start, end));
  }
}
