import { readFileSync } from 'node:fs';

/** Names and offset of a POSIX time zone rule: `CET-1CEST,M3.5.0,M10.5.0/3`, `<+0530>-5:30`. Offsets are west of UTC. */
const RULE = /^(<[^>]+>|[A-Za-z]+)([-+]?\d+(?::\d+)?(?::\d+)?)(<[^>]+>|[A-Za-z]+)?/;

/**
 * The abbreviation of local time now (`CET`, `CEST`), which JavaScript does not know for most zones: from the rule that
 * closes the zone's file. `UTC` where there is no such file.
 */
export function zoneName(rule: string, offsetSeconds: number): string {
  const match = RULE.exec(rule);
  if (!match) return 'UTC';
  const [, standard = '', offset = '', summer] = match;
  const isStandard = summer === undefined || eastSeconds(offset) === offsetSeconds;
  return (isStandard ? standard : summer).replaceAll(/[<>]/g, '');
}

function eastSeconds(west: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = west.replace(/^[-+]/, '').split(':').map(Number);
  const size = hours * 3600 + minutes * 60 + seconds;
  return west.startsWith('-') ? size : -size;
}

/** The rule of this process' time zone, '' when it cannot be read: the last line of the zone's file. */
export function readZoneRule(): string {
  const zone = process.env['TZ']?.replace(/^:/, '');
  const path = zone === undefined || zone === '' ? '/etc/localtime' : `/usr/share/zoneinfo/${zone}`;
  try {
    return readFileSync(path, 'latin1').trimEnd().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}
