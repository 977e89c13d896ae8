import { parseDuration } from '../../model/time.ts';
import { CodedError } from '../../util/errors.ts';

const HEX = /0[xX][0-9a-fA-F_]*/y;
const UNITS = /[smhdwy]s?(?:\d+[smhdw]s?)*/y;
const DIGITS = /\d+/y;

/**
 * Where the number that starts at `start` ends, or minus that where it is malformed. As Prometheus' lexer this takes more
 * than is a number, `.5.5` or `3e-`: reading the value finds out. A repeated point, exponent or underscore is refused.
 */
function scanNumber(text: string, start: number): number {
  HEX.lastIndex = start;
  if (HEX.test(text)) return scanHex(text, start, HEX.lastIndex);
  let hasPoint = false;
  let hasExponent = false;
  let i = text[start] === '.' ? start + 1 : start;
  for (;;) {
    const char = text[i] ?? '';
    let refused = '';
    if (char >= '0' && char <= '9') {
      i++;
      continue;
    } else if (char === '.') {
      if (hasPoint) return -(i + 1);
      hasPoint = true;
      refused = '._';
    } else if (char === 'e' || char === 'E') {
      if (hasExponent) return -(i + 1);
      hasExponent = true;
      if (text[i + 1] === '+' || text[i + 1] === '-') i++;
      refused = '._eE';
    } else if (char === '_') {
      refused = '._eE';
    } else {
      return i;
    }
    i++;
    if (refused.includes(text[i] ?? '\0')) return -(i + 1);
    if (i === text.length && char !== '.') return -i;
  }
}

function scanHex(text: string, start: number, end: number): number {
  if (text[end] === '.') return text[end + 1] === '.' || text[end + 1] === '_' ? -(end + 2) : -(end + 1);
  return /__|_$/.test(text.slice(start, end)) ? -end : end;
}

/** The number at `start` for the lexer; null when there is none or a word goes on behind it. */
export function matchNumber(text: string, start: number): [string] | null {
  if (!startsNumber(text, start)) return null;
  const end = scanNumber(text, start);
  return end > 0 && !isWordAt(text, end) ? [text.slice(start, end)] : null;
}

/** The duration at `start` for the lexer: a number and units; which units, and in which order, is checked later. */
export function matchDuration(text: string, start: number): [string] | null {
  if (!startsNumber(text, start)) return null;
  UNITS.lastIndex = Math.abs(scanNumber(text, start));
  if (!UNITS.test(text)) return null;
  return isWordAt(text, UNITS.lastIndex) ? null : [text.slice(start, UNITS.lastIndex)];
}

/** The part of a malformed number or duration at `start` that Prometheus quotes in its message. */
export function badNumberText(text: string, start: number): string {
  let end = Math.abs(scanNumber(text, start));
  UNITS.lastIndex = end;
  if (UNITS.test(text)) {
    DIGITS.lastIndex = end = UNITS.lastIndex;
    if (DIGITS.test(text)) end = DIGITS.lastIndex;
    else if (isWordAt(text, end)) end++;
  }
  return text.slice(start, end);
}

function startsNumber(text: string, start: number): boolean {
  const index = text[start] === '.' ? start + 1 : start;
  const char = text[index] ?? '';
  return char >= '0' && char <= '9';
}

function isWordAt(text: string, index: number): boolean {
  return /\w/.test(text[index] ?? '');
}

/** What may start a number, for the lexer. */
export const NUMBER_STARTS = '.0123456789'.split('');

const INT64_MAX = 9_223_372_036_854_775_807n;

const DECIMAL = /^(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+(?:_\d+)*)?$/;
const HEXADECIMAL = /^0x(?:_?[\da-f]+)+$/;

/** The value of a number literal; `0x` is hexadecimal, a leading `0` octal where the digits allow it. Throws bad_data. */
export function parseNumber(literal: string): number {
  const lower = literal.toLowerCase();
  if (lower === 'inf') return Infinity;
  if (lower === 'nan') return NaN;
  const isHex = HEXADECIMAL.test(lower);
  if (!isHex && !DECIMAL.test(lower)) throw numberError(literal, 'invalid syntax');
  const digits = lower.includes('_') ? lower.replaceAll('_', '') : lower;
  if (isHex || /^0[0-7]+$/.test(digits)) {
    const value = BigInt(isHex ? digits : `0o${digits.slice(1)}`);
    if (value <= INT64_MAX) return Number(value);
    if (isHex) throw numberError(literal, 'invalid syntax');
  }
  const value = Number(digits);
  if (value === Infinity) throw numberError(literal, 'value out of range');
  return value;
}

function numberError(literal: string, fault: string): CodedError {
  const parsing = `strconv.ParseFloat: parsing ${JSON.stringify(literal)}`;
  return new CodedError('bad_data', `error parsing number: ${parsing}: ${fault}`);
}

/** Seconds of a duration literal. Throws bad_data with Prometheus' text. */
export function parseDurationSeconds(literal: string): number {
  return parseDuration(literal) / 1000;
}
