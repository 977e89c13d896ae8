import { CodedError } from '../util/errors.ts';

/** Integer milliseconds since the epoch; safe below 2^53. */
export type TimestampMs = number;
/** Milliseconds. */
export type DurationMs = number;

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['y', 365 * 24 * 3_600_000],
  ['w', 7 * 24 * 3_600_000],
  ['d', 24 * 3_600_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]);
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
/** Prometheus keeps durations in int64 nanoseconds. */
const DURATION_MS_MAX = 9_223_372_036_854;

/**
 * Parses Prometheus' duration syntax: units y w d h m s ms, each at most once and in that order; `0` alone is allowed.
 * Throws bad_data with Prometheus' text.
 */
export function parseDuration(text: string): DurationMs {
  if (text === '') throw new CodedError('bad_data', 'empty duration string');
  if (text === '0') return 0;
  const match = DURATION.exec(text);
  if (!match) throw new CodedError('bad_data', durationFault(text));
  let total = 0;
  let group = 1;
  for (const unitMs of UNIT_MS.values()) {
    const digits = match[group++];
    if (digits !== undefined) total += Number(digits) * unitMs;
  }
  if (total > DURATION_MS_MAX) throw new CodedError('bad_data', 'duration out of range');
  return total;
}

/** Prometheus reads piece by piece, and complains of the first that is wrong. */
function durationFault(text: string): string {
  const units = [...UNIT_MS.keys()];
  let last = -1;
  for (const [, digits, unit] of text.matchAll(/(\d*)(\D*)/g)) {
    if (digits === '' || unit === '') break;
    const order = units.indexOf(unit!);
    if (order < 0) return `unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`;
    if (order <= last) break;
    last = order;
  }
  return `not a valid duration string: ${JSON.stringify(text)}`;
}

/** Prometheus' canonical duration text: y and w only when they divide exactly; 0 is `0s`. */
export function formatDuration(durationMs: DurationMs): string {
  if (durationMs === 0) return '0s';
  let rest = Math.abs(durationMs);
  let text = durationMs < 0 ? '-' : '';
  for (const [unit, unitMs] of UNIT_MS) {
    const exactOnly = unit === 'y' || unit === 'w';
    if (exactOnly && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) {
      text += `${count}${unit}`;
      rest -= count * unitMs;
    }
  }
  return text;
}
