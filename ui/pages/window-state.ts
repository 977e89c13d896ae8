import { formatDuration } from '../../model/time.ts';
import { parseRange } from '../console/url-state.ts';
import { formatTime, parseTime } from '../format.ts';
import type { Grid } from '../graph/columns.ts';

/** What the start page shows: the last `rangeMs` before `endMs` or, when that is undefined, before now. */
export interface WindowState {
  readonly rangeMs: number;
  readonly endMs: number | undefined;
  /** 0: not refreshed. */
  readonly refreshMs: number;
  /** The `instance` of the host shown; undefined is the first. */
  readonly host: string | undefined;
}

const DEFAULT_WINDOW: WindowState = { rangeMs: 900_000, endMs: undefined, refreshMs: 5000, host: undefined };
const POINTS = 180;
const STEP_MIN_SECONDS = 5;
const RATE_WINDOW_MIN_SECONDS = 60;

export function parseWindow(search: string): WindowState {
  const params = new URLSearchParams(search);
  const end = params.get('end');
  const refresh = params.get('refresh');
  return {
    rangeMs: parseRange(params.get('range') ?? '') ?? DEFAULT_WINDOW.rangeMs,
    endMs: end === null ? undefined : parseTime(end, true),
    refreshMs: refresh === 'off' ? 0 : (parseRange(refresh ?? '') ?? DEFAULT_WINDOW.refreshMs),
    host: params.get('host') ?? undefined,
  };
}

/** The query string; what is as by default is left out. */
export function formatWindow({ rangeMs, endMs, refreshMs, host }: WindowState): string {
  const params = new URLSearchParams();
  if (rangeMs !== DEFAULT_WINDOW.rangeMs) params.set('range', formatDuration(rangeMs));
  if (endMs !== undefined) params.set('end', formatTime(endMs, true));
  if (refreshMs !== DEFAULT_WINDOW.refreshMs)
    params.set('refresh', refreshMs === 0 ? 'off' : formatDuration(refreshMs));
  if (host !== undefined) params.set('host', host);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** The grid of a window: a step that gives about 180 points, both ends on multiples of it, so that refreshes line up. */
export function windowGrid({ rangeMs, endMs }: WindowState, nowMs: number): Grid {
  const step = Math.max(STEP_MIN_SECONDS, Math.ceil(rangeMs / 1000 / POINTS / 5) * 5);
  const end = Math.floor((endMs ?? nowMs) / 1000 / step) * step;
  return { start: end - Math.floor(rangeMs / 1000 / step) * step, end, step };
}

/** The window of `rate` for a grid: no sample is skipped between steps and, at usual intervals, several fall into it. */
export function rateWindow({ step }: Grid): string {
  return formatDuration(Math.max(RATE_WINDOW_MIN_SECONDS, 4 * step) * 1000);
}
