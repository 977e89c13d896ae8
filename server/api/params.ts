import { parseDuration, type DurationMs, type TimestampMs } from '../../model/time.ts';
import { CodedError, errorText } from '../../util/errors.ts';
import { invalidParameter } from './errors.ts';

/** The furthest times that a request may name; a parameter beyond them is taken as them. */
export const TIME_MS_MIN: TimestampMs = -8_640_000_000_000_000;
export const TIME_MS_MAX: TimestampMs = 8_640_000_000_000_000;
/** How Prometheus writes the ends of its own time range. */
const MIN_TIME_TEXT = '-292273086-05-16T16:47:06Z';
const MAX_TIME_TEXT = '292277025-08-18T07:12:54.999999999Z';
/** Most points of one series of a range query. */
const POINTS_MAX = 11_000;

/** Parameters of a request: those of a form body first, then those of the query string. */
export class Params {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  /** Throws bad_data for text that is not form data. */
  constructor(...sources: readonly string[]) {
    const values = new Map<string, string[]>();
    for (const source of sources) addPairs(values, source);
    this.#values = values;
  }

  /** The first value; '' when there is none, which Prometheus does not tell apart. */
  text(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** A time with the wording of /query's `time`; `otherwise` when it is absent. */
  time(name: string, otherwise: TimestampMs): TimestampMs {
    const text = this.text(name);
    if (text === '') return otherwise;
    const timeMs = parseTime(text);
    if (timeMs !== undefined) return timeMs;
    throw invalidParameter(name, `invalid time value for '${name}': cannot parse ${quote(text)} to a valid timestamp`);
  }

  /** A time that must be there, with the wording of /query_range. */
  requiredTime(name: string): TimestampMs {
    const timeMs = parseTime(this.text(name));
    if (timeMs !== undefined) return timeMs;
    throw invalidParameter(name, `cannot parse ${quote(this.text(name))} to a valid timestamp`);
  }

  /** 0 when absent: no limit. */
  limit(): number {
    const text = this.text('limit');
    if (text === '') return 0;
    if (!/^[+-]?\d+$/.test(text)) {
      throw invalidParameter('limit', `strconv.Atoi: parsing ${quote(text)}: invalid syntax`);
    }
    const limit = Number(text);
    if (limit < 0) throw invalidParameter('limit', 'limit must be non-negative');
    return Math.min(limit, Number.MAX_SAFE_INTEGER);
  }

  /** undefined when absent. */
  timeout(): DurationMs | undefined {
    const text = this.text('timeout');
    if (text === '') return undefined;
    try {
      return parseSeconds(text);
    } catch (error) {
      throw invalidParameter('timeout', errorText(error));
    }
  }

  /** undefined when absent or 0: the server's own. */
  lookbackDelta(): DurationMs | undefined {
    const text = this.text('lookback_delta');
    if (text === '') return undefined;
    try {
      const durationMs = parseSeconds(text);
      return durationMs > 0 ? durationMs : undefined;
    } catch (error) {
      throw new CodedError('bad_data', `error parsing lookback delta duration: ${errorText(error)}`);
    }
  }

  /** Start, end and step of a range query, checked in Prometheus' order. */
  range(): { startMs: TimestampMs; endMs: TimestampMs; stepMs: DurationMs } {
    const startMs = this.requiredTime('start');
    const endMs = this.requiredTime('end');
    if (endMs < startMs) throw invalidParameter('end', 'end timestamp must not be before start time');
    let stepMs: number;
    try {
      stepMs = parseSeconds(this.text('step'));
    } catch (error) {
      throw invalidParameter('step', errorText(error));
    }
    // Steps are whole milliseconds; what is less is none.
    stepMs = Math.trunc(stepMs);
    if (stepMs <= 0) {
      const reason = 'zero or negative query resolution step widths are not accepted. Try a positive integer';
      throw invalidParameter('step', reason);
    }
    if ((endMs - startMs) / stepMs > POINTS_MAX) {
      const reason = 'exceeded maximum resolution of 11,000 points per timeseries.';
      throw new CodedError('bad_data', `${reason} Try decreasing the query resolution (?step=XX)`);
    }
    return { startMs, endMs, stepMs };
  }
}

function addPairs(values: Map<string, string[]>, source: string): void {
  for (const pair of source.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const known = values.get(name);
    if (known) known.push(value);
    else values.set(name, [value]);
  }
}

function decode(text: string): string {
  if (!/[+%]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    const escape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)?.[0];
    const reason = escape === undefined ? 'not valid UTF-8' : `invalid URL escape ${quote(escape)}`;
    throw new CodedError('bad_data', `error parsing form values: ${reason}`, { cause: error });
  }
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Unix seconds or RFC 3339; undefined for anything else. Milliseconds, rounded (seconds) or cut (RFC 3339). */
export function parseTime(text: string): TimestampMs | undefined {
  if (FLOAT.test(text)) {
    const seconds = Number(text);
    const whole = Math.trunc(seconds);
    const timeMs = whole * 1000 + Math.round((seconds - whole) * 1000);
    return Math.min(Math.max(timeMs, TIME_MS_MIN), TIME_MS_MAX);
  }
  if (text === MIN_TIME_TEXT) return TIME_MS_MIN;
  if (text === MAX_TIME_TEXT) return TIME_MS_MAX;
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const fraction = match[1] ?? '';
  const wholeMs = Date.parse(text.replace(fraction, '').toUpperCase());
  return Number.isNaN(wholeMs) ? undefined : wholeMs + Number(`${fraction.slice(1)}000`.slice(0, 3));
}

/** Float seconds or Prometheus' duration syntax, in ms. Throws bad_data. */
export function parseSeconds(text: string): DurationMs {
  if (FLOAT.test(text)) {
    const durationMs = Number(text) * 1000;
    if (Math.abs(durationMs) > 9_223_372_036_854) {
      throw new CodedError('bad_data', `cannot parse ${quote(text)} to a valid duration. It overflows int64`);
    }
    // Without the round trip 0.07 s would be 70.00000000000001 ms.
    return Math.round(durationMs * 1e6) / 1e6;
  }
  try {
    return parseDuration(text);
  } catch (error) {
    throw new CodedError('bad_data', `cannot parse ${quote(text)} to a valid duration`, { cause: error });
  }
}

/** Go's %q for texts of requests. */
function quote(text: string): string {
  return JSON.stringify(text);
}
