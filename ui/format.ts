/** What a number is, so that it can be shown with the right unit. */
export type Unit = 'none' | 'bytes' | 'bytes/s' | 'seconds' | 'percent' | 'cores' | 'ops/s' | 'count';

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const DECIMAL: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Three significant digits with the unit: `1.5 KiB/s`, `12 %` (of a fraction of 1), `230 ms`, `0.2 cores`. */
export function formatValue(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return formatSpecial(value);
  switch (unit) {
    case 'bytes':
      return formatBytes(value);
    case 'bytes/s':
      return `${formatBytes(value)}/s`;
    case 'seconds':
      return formatSeconds(value);
    case 'percent':
      return `${formatPercent(value * 100)} %`;
    case 'cores':
      return Math.abs(value) < 1e-4 ? '0' : trimDigits(value, 3);
    case 'ops/s':
      return `${formatScaled(value)}/s`;
    case 'count':
    case 'none':
      return formatScaled(value);
  }
}

/** A value in full, as Prometheus' table shows it. */
export function formatExact(value: number): string {
  return Number.isFinite(value) ? String(value) : formatSpecial(value);
}

function formatSpecial(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function formatPercent(percent: number): string {
  const abs = Math.abs(percent);
  return abs >= 100 ? percent.toFixed(0) : trimDigits(abs < 0.005 ? 0 : percent, abs < 10 ? 2 : 3);
}

export function formatBytes(value: number): string {
  let scaled = Math.abs(value);
  let power = 0;
  while (scaled >= 1023.5 && power < BINARY.length - 1) {
    scaled /= 1024;
    power++;
  }
  const digits = power === 0 ? String(Math.round(scaled * 10) / 10) : trimDigits(scaled, 3);
  return `${value < 0 ? '-' : ''}${digits} ${BINARY[power]!}`;
}

/** Decimal prefixes: `12.3k`, `4M`; small numbers with three significant digits. */
export function formatScaled(value: number): string {
  const abs = Math.abs(value);
  if (abs === 0) return '0';
  if (abs >= 1e15 || abs < 1e-4) return value.toExponential(2).replace('e+', 'e');
  for (const [size, prefix] of DECIMAL) if (abs >= size * 0.9995) return `${trimDigits(value / size, 3)}${prefix}`;
  return trimDigits(value, 3);
}

function trimDigits(value: number, digits: number): string {
  if (value === 0) return '0';
  const abs = Math.abs(value);
  const text = abs >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits);
  return text.includes('e') ? String(Number(text)) : text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** A length of time: `350 µs`, `12 ms`, `4.2 s`, `3m 20s`, `2d 4h`. */
export function formatSeconds(seconds: number): string {
  const abs = Math.abs(seconds);
  const sign = seconds < 0 ? '-' : '';
  if (abs === 0) return '0 s';
  if (abs < 1e-3) return `${sign}${trimDigits(abs * 1e6, 3)} µs`;
  if (abs < 1) return `${sign}${trimDigits(abs * 1e3, 3)} ms`;
  if (abs < 60) return `${sign}${trimDigits(abs, 3)} s`;
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => abs >= size);
  let rest = Math.round(abs);
  let text = sign;
  for (const [name, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${text === sign ? '' : ' '}${count}${name}`;
  }
  return text;
}

/** How long ago a moment was, to the second: `4 s ago`, `in 2 s`, `never` for Prometheus' year 1. */
export function formatAgo(atMs: number, nowMs: number): string {
  if (!(atMs > 0)) return 'never';
  const seconds = Math.round((nowMs - atMs) / 1000);
  if (seconds === 0) return 'now';
  return seconds > 0 ? `${formatSeconds(seconds)} ago` : `in ${formatSeconds(-seconds)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** The parts of a moment, local or UTC. */
export function dateParts(ms: number, isUtc: boolean): { date: string; time: string; seconds: string; millis: number } {
  const at = new Date(ms);
  const [y, mo, d, h, mi, s] = isUtc
    ? [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
    : [at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes(), at.getSeconds()];
  return {
    date: `${y}-${two(mo + 1)}-${two(d)}`,
    time: `${two(h)}:${two(mi)}`,
    seconds: two(s),
    millis: at.getUTCMilliseconds(),
  };
}

/** `2026-01-01 12:00:05`, with milliseconds when there are any. */
export function formatTime(ms: number, isUtc: boolean): string {
  const { date, time, seconds, millis } = dateParts(ms, isUtc);
  return `${date} ${time}:${seconds}${millis === 0 ? '' : `.${String(millis).padStart(3, '0')}`}`;
}

/** Labels of a time axis: the date where the day changes, seconds only where ticks are closer than a minute. */
export function formatAxisTimes(splits: readonly number[], isUtc: boolean): string[] {
  const step = splits.length > 1 ? splits[1]! - splits[0]! : 60;
  let lastDate = '';
  return splits.map((split, i) => {
    const { date, time, seconds } = dateParts(split * 1000, isUtc);
    const isNewDay = i > 0 && date !== lastDate;
    lastDate = date;
    if (step >= 86_400) return date.slice(5);
    if (isNewDay) return `${time}\n${date.slice(5)}`;
    return step < 60 ? `${time}:${seconds}` : time;
  });
}

/** Reads `YYYY-MM-DD[ T]HH:MM[:SS]`, local or UTC, to ms; undefined when it is no time. */
export function parseTime(text: string, isUtc: boolean): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?Z?$/.exec(text.trim());
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0));
  const millis = Number((match[7] ?? '0').padEnd(3, '0'));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = isUtc
    ? Date.UTC(year, month - 1, day, hour, minute, second, millis)
    : new Date(year, month - 1, day, hour, minute, second, millis).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}
