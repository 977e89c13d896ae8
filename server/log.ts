import { pino } from 'pino';
import type { Log, LogFacts } from '../util/host.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'logfmt' | 'json';

const LEVEL_NAMES: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'ERROR' };
/** A fact longer than this is cut: one request must not fill the disk. */
const VALUE_LENGTH_MAX = 4096;

/** Logs lines to `write`, by pino. A line holds no control characters, whatever the facts are (S21). */
export function createLog(level: LogLevel, format: LogFormat, write: (line: string) => void): Log {
  const destination = { write: format === 'json' ? write : (line: string) => write(logfmtLine(line)) };
  const logger = pino(
    { level, base: null, messageKey: 'msg', timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination,
  );
  const logAt =
    (method: LogLevel) =>
    (facts: LogFacts, message: string): void => {
      logger[method](limited(facts), message);
    };
  return { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };
}

function limited(facts: LogFacts): LogFacts {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(facts)) {
    const plain = value instanceof Error ? (value.stack ?? value.message) : value;
    shown[key] =
      typeof plain === 'string' && plain.length > VALUE_LENGTH_MAX ? `${plain.slice(0, VALUE_LENGTH_MAX)}...` : plain;
  }
  return shown;
}

/** One of pino's lines as `time=... level=INFO msg="..." key=value`, as Prometheus writes them. */
function logfmtLine(line: string): string {
  const { level, time, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  let text = `time=${String(time)} level=${LEVEL_NAMES[Number(level)] ?? 'INFO'} msg=${logfmtValue(msg)}`;
  for (const [key, value] of Object.entries(facts)) text += ` ${key}=${logfmtValue(value)}`;
  return `${text}\n`;
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return /^[\w.:/+@%\-[\](){},]+$/.test(text) ? text : JSON.stringify(text);
}
