import { quoteGo } from '../../model/labels.ts';

// PromQL's string literals have the escapes of Go: \a \b \f \n \r \t \v \\ and the quote, \ooo, \xHH, \uHHHH, \UHHHHHHHH.
// Octal and \x escapes stand for single bytes, so a literal is decoded as bytes where it has one of them.

const SIMPLE_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 92],
]);

interface Escape {
  /** Index after the escape. */
  readonly end: number;
  readonly code: number;
  /** The code is one byte of UTF-8, not a character. */
  readonly isByte: boolean;
}

/**
 * What is wrong with the literal that starts at `start`, as Prometheus says it, or undefined. The literal may lack its
 * closing quote.
 */
export function stringFault(text: string, start: number): string | undefined {
  const quote = text[start];
  if (quote === '`') return rawStringFault(text, start);
  let i = start + 1;
  while (i < text.length) {
    const char = text[i]!;
    if (char === quote) return undefined;
    if (char === '\n') return 'unterminated quoted string';
    if (char === '\ufffd' || isLoneSurrogate(text, i)) return 'invalid UTF-8 rune';
    if (char === '\\') {
      const escape = readEscape(text, i + 1, quote!);
      if (typeof escape === 'string') return escape;
      i = escape.end;
    } else {
      i++;
    }
  }
  return 'unterminated quoted string';
}

function rawStringFault(text: string, start: number): string | undefined {
  const end = text.indexOf('`', start + 1);
  const content = text.slice(start + 1, end < 0 ? undefined : end);
  if (content.includes('\ufffd') || !content.isWellFormed()) return 'invalid UTF-8 rune';
  return end < 0 ? 'unterminated raw string' : undefined;
}

function isLoneSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  if ((unit & 0xf800) !== 0xd800) return false;
  const other = text.charCodeAt(unit < 0xdc00 ? index + 1 : index - 1);
  return (other & 0xfc00) !== (unit < 0xdc00 ? 0xdc00 : 0xd800);
}

/** The value of a literal that has no fault; `literal` includes its quotes. */
export function unquote(literal: string): string {
  const content = literal.slice(1, -1);
  if (literal[0] === '`' || !content.includes('\\')) return content;
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  let i = 0;
  while (i < content.length) {
    const next = content.indexOf('\\', i);
    const plainEnd = next < 0 ? content.length : next;
    for (const byte of encoder.encode(content.slice(i, plainEnd))) bytes.push(byte);
    if (next < 0) break;
    const escape = readEscape(content, next + 1, literal[0]!) as Escape;
    if (escape.isByte) bytes.push(escape.code);
    else for (const byte of encoder.encode(String.fromCodePoint(escape.code))) bytes.push(byte);
    i = escape.end;
  }
  return decodeUtf8(Uint8Array.from(bytes));
}

/** Bytes that are not UTF-8 become lone surrogates U+DC80 to U+DCFF, so that they are printed as they were written. */
function decodeUtf8(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  let start = 0;
  while (start < bytes.length) {
    let size = Math.min(4, bytes.length - start);
    for (; size > 0; size--) {
      const char = tryDecode(decoder, bytes.subarray(start, start + size));
      if (char === undefined) continue;
      text += char;
      break;
    }
    if (size === 0) text += String.fromCharCode(0xdc00 + bytes[start]!);
    start += Math.max(size, 1);
  }
  return text;
}

function tryDecode(decoder: TextDecoder, bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads what follows a backslash; a string is the fault. */
function readEscape(text: string, index: number, quote: string): Escape | string {
  const char = text[index];
  if (char === undefined) return 'escape sequence not terminated';
  if (char === quote) return { end: index + 1, code: char.charCodeAt(0), isByte: false };
  const simple = SIMPLE_ESCAPES.get(char);
  if (simple !== undefined) return { end: index + 1, code: simple, isByte: false };
  if (char >= '0' && char <= '7') return readDigits(text, index, 3, 8);
  if (char === 'x') return readDigits(text, index + 1, 2, 16);
  if (char === 'u') return readDigits(text, index + 1, 4, 16);
  if (char === 'U') return readDigits(text, index + 1, 8, 16);
  return `unknown escape sequence ${describeRune(text, index)}`;
}

function readDigits(text: string, index: number, count: number, base: number): Escape | string {
  let code = 0;
  for (let i = index; i < index + count; i++) {
    const char = text[i];
    if (char === undefined) return 'escape sequence not terminated';
    const digit = /[0-9a-fA-F]/.test(char) ? parseInt(char, 16) : base;
    if (digit >= base) return `illegal character ${describeRune(text, i)} in escape sequence`;
    code = code * base + digit;
  }
  const isByte = count <= 3;
  const max = isByte ? 255 : 0x10ffff;
  if (code > max || (code >= 0xd800 && code < 0xe000)) return 'escape sequence is an invalid Unicode code point';
  return { end: index + count, code, isByte };
}

/** `U+002E '.'`, as Go's %#U; what cannot be printed is told by its code alone. */
function describeRune(text: string, index: number): string {
  const code = text.codePointAt(index)!;
  const char = String.fromCodePoint(code);
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char) ? `${name} '${char}'` : name;
}

/** A character in single quotes as Go prints it. */
export function quoteRune(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  return `'${quoteGo(char).slice(1, -1)}'`;
}
