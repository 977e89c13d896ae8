/** The words of a line, split at spaces and tabs. */
export function words(line: string): string[] {
  return line.trim().split(/[ \t]+/);
}

/** A decimal number from the kernel; throws when `text` is none. Above 2^53 the nearest double. */
export function numberOf(text: string | undefined, where: string): number {
  const value = Number(text);
  if (text === undefined || text === '' || !Number.isFinite(value))
    throw new Error(`${where}: not a number: "${text ?? ''}"`);
  return value;
}

/** A decimal number, or undefined where the text is none (`max`, empty, cut off). */
export function tryNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Seconds from a count of 10^-digits seconds. Past 2^53 the point is set in the text, so that a nanosecond counter
 * keeps its precision after 104 days of one cpu. NaN when the text is no number.
 */
export function scaledSeconds(text: string, digits: 6 | 9): number {
  if (text.length <= 15) return Number(text) / (digits === 9 ? 1e9 : 1e6);
  return Number(`${text.slice(0, -digits)}.${text.slice(-digits)}`);
}

/** `key value` lines as a map of texts. */
export function keyValues(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const space = text.indexOf(' ', start);
    if (space > start && space < end) pairs.set(text.slice(start, space), text.slice(space + 1, end).trim());
    start = end + 1;
  }
  return pairs;
}
