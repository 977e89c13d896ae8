import { formatDuration, parseDuration } from '../../model/time.ts';
import { formatTime, parseTime } from '../format.ts';

export type Tab = 'table' | 'graph';
export type Density = 'low' | 'medium' | 'high';
export type Resolution =
  | { readonly type: 'auto'; readonly density: Density }
  | { readonly type: 'fixed' | 'custom'; readonly stepMs: number };
export type DisplayMode = 'lines' | 'stacked';

/** One query of the query page, as it stands in the URL under Prometheus' own parameter names (`g0.expr`, ...). */
export interface PanelState {
  readonly expr: string;
  readonly tab: Tab;
  readonly rangeMs: number;
  /** The end of the graph and the table's moment; undefined is now. */
  readonly endMs: number | undefined;
  readonly resolution: Resolution;
  readonly displayMode: DisplayMode;
}

export const DEFAULT_PANEL: PanelState = {
  expr: '',
  tab: 'table',
  rangeMs: 3_600_000,
  endMs: undefined,
  resolution: { type: 'auto', density: 'medium' },
  displayMode: 'lines',
};

/** More panels than this are not read from a URL. */
const PANELS_MAX = 20;

/** The panels of a query string; one empty panel when it names none. Unusable values fall back to the default. */
export function parsePanels(search: string): PanelState[] {
  const params = new URLSearchParams(search);
  const panels: PanelState[] = [];
  while (panels.length < PANELS_MAX && params.has(`g${panels.length}.expr`)) {
    const index = panels.length;
    panels.push(parsePanel((name) => params.get(`g${index}.${name}`) ?? undefined));
  }
  return panels.length === 0 ? [DEFAULT_PANEL] : panels;
}

function parsePanel(get: (name: string) => string | undefined): PanelState {
  const tab = get('tab');
  const end = get('moment_input') ?? get('end_input');
  const mode = get('display_mode') ?? (get('stacked') === '1' ? 'stacked' : 'lines');
  return {
    expr: get('expr') ?? '',
    // Numbers are what the console of Prometheus 2 wrote.
    tab: tab === 'graph' || tab === '0' ? 'graph' : 'table',
    rangeMs: parseRange(get('range_input') ?? '') ?? DEFAULT_PANEL.rangeMs,
    endMs: end === undefined ? undefined : parseTime(end, true),
    resolution: parseResolution(get),
    displayMode: mode === 'stacked' ? 'stacked' : 'lines',
  };
}

/** A range in Prometheus' duration syntax; undefined when it is none or zero. */
export function parseRange(text: string): number | undefined {
  try {
    const ms = parseDuration(text.trim());
    return ms > 0 ? ms : undefined;
  } catch {
    return undefined;
  }
}

function parseResolution(get: (name: string) => string | undefined): Resolution {
  const type = get('res_type');
  const density = get('res_density');
  if (type === 'auto') {
    return { type, density: density === 'low' || density === 'high' ? density : 'medium' };
  }
  const text = type === 'fixed' || type === 'custom' ? get('res_step') : get('step_input');
  const stepMs = text === undefined ? undefined : parseStep(text);
  if (stepMs === undefined) return DEFAULT_PANEL.resolution;
  return { type: type === 'fixed' ? 'fixed' : 'custom', stepMs };
}

/** A step as seconds or as a Prometheus duration; undefined when it is neither or not positive. */
export function parseStep(text: string): number | undefined {
  const seconds = Number(text);
  if (text.trim() !== '' && Number.isFinite(seconds)) return seconds >= 0.001 ? Math.round(seconds * 1000) : undefined;
  return parseRange(text);
}

/** The query string of the panels, with its question mark. */
export function formatPanels(panels: readonly PanelState[]): string {
  const params = new URLSearchParams();
  panels.forEach((panel, index) => {
    const set = (name: string, value: string): void => params.set(`g${index}.${name}`, value);
    set('expr', panel.expr);
    set('show_tree', '0');
    set('tab', panel.tab);
    if (panel.endMs !== undefined) {
      set('end_input', formatTime(panel.endMs, true));
      set('moment_input', formatTime(panel.endMs, true));
    }
    set('range_input', formatDuration(panel.rangeMs));
    set('res_type', panel.resolution.type);
    if (panel.resolution.type === 'auto') set('res_density', panel.resolution.density);
    else set('res_step', String(panel.resolution.stepMs / 1000));
    set('display_mode', panel.displayMode);
    set('show_exemplars', '0');
  });
  return `?${params.toString()}`;
}

const POINTS_OF: Readonly<Record<Density, number>> = { low: 100, medium: 250, high: 750 };
/** Prometheus refuses more points a series. */
const POINTS_MAX = 11_000;

/** The step of a range query in ms: a whole number of seconds in automatic mode, never above 11,000 points. */
export function chooseStepMs(rangeMs: number, resolution: Resolution): number {
  const wanted =
    resolution.type === 'auto'
      ? Math.max(1000, Math.floor(rangeMs / POINTS_OF[resolution.density] / 1000) * 1000)
      : resolution.stepMs;
  return Math.max(wanted, Math.ceil(rangeMs / POINTS_MAX));
}

const RANGES_MS = [
  1, 10, 60, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200, 4_838_400,
  15_552_000, 31_536_000,
].map((seconds) => seconds * 1000);

/** The next larger (`1`) or smaller (`-1`) of the usual ranges. */
export function nextRangeMs(rangeMs: number, direction: 1 | -1): number {
  const found =
    direction === 1 ? RANGES_MS.find((range) => range > rangeMs) : RANGES_MS.findLast((range) => range < rangeMs);
  return found ?? rangeMs;
}
