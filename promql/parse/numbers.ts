import { parseDuration } from '../../model/time.ts';
import { CodedError } from '../../util/errors.ts';

/** A decimal number or a hexadecimal integer; underscores stand between digits. Must not be followed by a word character. */
export const NUMBER =
  /(?:0[xX](?:_?[0-9a-fA-F]+)+|(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+(?:_\d+)*)?)(?![\w.])/;
/** Digits and units; which units, and in which order, is checked when the duration is read. */
export const DURATION = /\d+[smhdwy]s?(?:\d+[smhdw]s?)*(?!\w)/;

const BAD_NUMBER = /[\d.](?:[\d_]|[eE][+-]?|\.)*/y;
const UNITS = /[smhdwy]s?(?:\d+[smhdw]s?)*(?:\d+\w?)?/y;

/** The part of a malformed number or duration at `start` that Prometheus quotes in its message. */
export function badNumberText(text: string, start: number): string {
  BAD_NUMBER.lastIndex = start;
  let end = start + (BAD_NUMBER.exec(text)?.[0].length ?? 1);
  const repeatedDot = /^[\d_]*\.[\d_]*\./.exec(text.slice(start, end));
  if (repeatedDot) return repeatedDot[0];
  UNITS.lastIndex = end;
  const units = UNITS.exec(text);
  if (units) {
    end += units[0].length;
    if (!/\d\w?$/.test(units[0]) && /\w/.test(text[end] ?? '')) end++;
  }
  return text.slice(start, end);
}

const INT64_MAX = 9_223_372_036_854_775_807n;

/** The value of a number literal; `0x` is hexadecimal, a leading `0` octal where the digits allow it. Throws bad_data. */
export function parseNumber(literal: string): number {
  const lower = literal.toLowerCase();
  if (lower === 'inf') return Infinity;
  if (lower === 'nan') return NaN;
  const digits = lower.includes('_') ? lower.replaceAll('_', '') : lower;
  if (digits.startsWith('0x')) {
    const value = BigInt(digits);
    return value <= INT64_MAX ? Number(value) : overflow(literal);
  }
  if (/^0[0-7]+$/.test(digits)) {
    const value = BigInt(`0o${digits.slice(1)}`);
    if (value <= INT64_MAX) return Number(value);
  }
  const value = Number(digits);
  return value === Infinity ? overflow(literal) : value;
}

function overflow(literal: string): never {
  const quoted = JSON.stringify(literal);
  throw new CodedError('bad_data', `error parsing number: strconv.ParseFloat: parsing ${quoted}: value out of range`);
}

/** Seconds of a duration literal. Throws bad_data with Prometheus' text. */
export function parseDurationSeconds(literal: string): number {
  return parseDuration(literal) / 1000;
}
