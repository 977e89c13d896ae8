import { formatFloatG } from '../../util/decimal.ts';

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const NAMED: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);

/** Quotes bytes as Go's %q does: text that is UTF-8 and printable as it is, the rest escaped. */
export function quoteBytes(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length;) {
    const length = runeLength(bytes, i);
    if (length === 0) out += `\\x${hex(bytes[i++]!, 2)}`;
    else {
      out += quoteRune(Buffer.from(bytes.buffer, bytes.byteOffset + i, length).toString('utf8'));
      i += length;
    }
  }
  return `"${out}"`;
}

function quoteRune(rune: string): string {
  const named = NAMED.get(rune);
  if (named !== undefined) return named;
  if (PRINTABLE.test(rune)) return rune;
  const code = rune.codePointAt(0)!;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Bytes of the UTF-8 sequence at `i`, 0 when it is not one. */
function runeLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || i + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1]!;
  const isBad =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f);
  return isBad ? 0 : length;
}

/** A float as OpenMetrics writes it in `le` and `quantile`: as Go's %g, with `.0` where nothing else says float. */
export function formatOpenMetricsFloat(value: number): string {
  const text = formatFloatG(value);
  return /[.eIN]/.test(text) ? text : `${text}.0`;
}
