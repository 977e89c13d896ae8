import uPlot from 'uplot';
import { formatAxisTimes, formatValue } from '../format.ts';
import type { Unit } from '../format.ts';
import { nearestSeries, stack, thin } from './columns.ts';
import type { ChartData, Column } from './columns.ts';
import { assignSlots, mutedStroke, strokeOf } from './palette.ts';
import type { Stroke } from './palette.ts';

export interface PlotCursor {
  /** CSS pixels from the chart's left edge. */
  readonly left: number;
  readonly row: number;
  /** Index of the nearest shown series, -1 when none has a value there. */
  readonly nearest: number;
}

export interface PlotOptions {
  readonly unit: Unit;
  readonly isUtc: boolean;
  readonly isDark: boolean;
  readonly isStacked: boolean;
  /** Whether the value axis starts at zero when no value is negative. */
  readonly isFromZero: boolean;
  readonly height: number;
  /** Charts with the same key share their cursor. */
  readonly syncKey: string;
  readonly onZoom: (startSeconds: number, endSeconds: number) => void;
  readonly onReset: () => void;
  readonly onCursor: (cursor: PlotCursor | undefined) => void;
}

/** Above this many values each series is thinned to its extremes per pixel column before drawing. */
const POINTS_DRAWN_MAX = 200_000;
const BINARY_STEPS = Array.from({ length: 61 }, (_, power) => 2 ** power);

/** The strokes of a chart's series, in order. */
export function chartStrokes(data: ChartData, isDark: boolean): Stroke[] {
  const slots = assignSlots(data.series.map(({ name }) => name));
  return slots.map((slot, i) => (data.series[i]!.isMuted === true ? mutedStroke(isDark) : strokeOf(slot, isDark)));
}

/** One uPlot with our axes, cursor and overlay. Its own legend and its redraw on focus are off. */
export class Plot {
  readonly #root: HTMLElement;
  readonly #options: PlotOptions;
  readonly #overlay = document.createElement('canvas');
  #plot: uPlot | undefined;
  #data: ChartData = { times: new Float64Array(0), series: [] };
  #drawn: readonly Column[] = [];
  #hidden: ReadonlySet<string> = new Set();
  #signature = '';
  #width = 0;
  #isHovered = false;

  constructor(root: HTMLElement, options: PlotOptions) {
    this.#root = root;
    this.#options = options;
    this.#overlay.className = 'plot-overlay';
  }

  /** Shows data; series named in `hidden` are left out. */
  update(data: ChartData, hidden: ReadonlySet<string>, width: number): void {
    this.#data = data;
    this.#hidden = hidden;
    const shown = data.series.map(({ name, values }) => (hidden.has(name) ? [] : values));
    this.#drawn = this.#options.isStacked ? stack(shown, data.times.length) : data.series.map(({ values }) => values);
    const [times, columns] = this.#thinned(data.times, this.#drawn, width);
    const aligned = [times, ...columns] as uPlot.AlignedData;
    const signature = data.series.map(({ name }) => `${hidden.has(name) ? '-' : '+'}${name}`).join('\n');
    if (this.#plot && signature === this.#signature) {
      if (width !== this.#width) this.#plot.setSize({ width, height: this.#options.height });
      this.#plot.setData(aligned);
    } else {
      this.#create(aligned, width);
    }
    this.#signature = signature;
    this.#width = width;
    this.clearHighlight();
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** Moves the cursor by steps, for the keyboard. */
  moveCursor(rows: number): void {
    const plot = this.#plot;
    const times = this.#data.times;
    if (!plot || times.length === 0) return;
    const row = Math.min(times.length - 1, Math.max(0, (plot.cursor.idx ?? times.length - 1) + rows));
    this.#placeCursor(plot.valToPos(times[row]!, 'x'), Math.max(0, plot.cursor.top ?? 0));
  }

  #placeCursor(left: number, top: number): void {
    this.#isHovered = true;
    this.#plot?.setCursor({ left, top });
  }

  leave(): void {
    this.#isHovered = false;
    this.#plot?.setCursor({ left: -10, top: -10 });
    this.clearHighlight();
    this.#options.onCursor(undefined);
  }

  /** Draws one series strongly over the others; `row` also gets a dot. */
  highlight(index: number, row?: number): void {
    const plot = this.#plot;
    const column = this.#drawn[index];
    const series = this.#data.series[index];
    if (!plot || !column || !series || this.#hidden.has(series.name)) return this.clearHighlight();
    const context = this.#sizeOverlay(plot);
    if (!context) return;
    const { color } = chartStrokes(this.#data, this.#options.isDark)[index]!;
    context.strokeStyle = color;
    context.fillStyle = color;
    context.lineWidth = 2.5;
    context.lineJoin = 'round';
    context.beginPath();
    let isDown = false;
    for (let i = 0; i < column.length; i++) {
      const value = column[i] ?? null;
      if (value === null) {
        isDown = false;
        continue;
      }
      const x = plot.valToPos(this.#data.times[i]!, 'x');
      const y = plot.valToPos(value, 'y');
      if (isDown) context.lineTo(x, y);
      else context.moveTo(x, y);
      isDown = true;
    }
    context.stroke();
    const value = row === undefined ? null : (column[row] ?? null);
    if (row === undefined || value === null) return;
    context.beginPath();
    context.arc(plot.valToPos(this.#data.times[row]!, 'x'), plot.valToPos(value, 'y'), 4, 0, 2 * Math.PI);
    context.fill();
  }

  clearHighlight(): void {
    this.#overlay.getContext('2d')?.clearRect(0, 0, this.#overlay.width, this.#overlay.height);
  }

  #thinned(times: Float64Array, columns: readonly Column[], width: number): [Float64Array, readonly Column[]] {
    const perBucket = Math.floor(times.length / Math.max(1, width));
    if (times.length * columns.length <= POINTS_DRAWN_MAX || perBucket < 2) return [times, columns];
    return thin(times, columns, perBucket * 2);
  }

  #sizeOverlay(plot: uPlot): CanvasRenderingContext2D | null {
    const { clientWidth, clientHeight } = plot.over;
    const ratio = devicePixelRatio;
    const canvas = this.#overlay;
    if (canvas.width !== clientWidth * ratio || canvas.height !== clientHeight * ratio) {
      canvas.width = clientWidth * ratio;
      canvas.height = clientHeight * ratio;
    }
    canvas.style.left = plot.over.style.left;
    canvas.style.top = plot.over.style.top;
    canvas.style.width = `${clientWidth}px`;
    canvas.style.height = `${clientHeight}px`;
    const context = canvas.getContext('2d');
    context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    context?.clearRect(0, 0, clientWidth, clientHeight);
    return context;
  }

  #create(data: uPlot.AlignedData, width: number): void {
    const { left = -10, top = 0 } = this.#plot?.cursor ?? {};
    const hadCursor = this.#isHovered && left >= 0;
    this.#isHovered = false;
    this.#plot?.destroy();
    const plot = new uPlot(this.#uplotOptions(width), data, this.#root);
    plot.over.before(this.#overlay);
    plot.over.addEventListener('mouseenter', () => (this.#isHovered = true));
    plot.over.addEventListener('mouseleave', () => this.leave());
    this.#plot = plot;
    // uPlot finishes in a microtask of its own; the cursor goes back where it was after that.
    if (hadCursor) queueMicrotask(() => this.#placeCursor(left, top));
  }

  #uplotOptions(width: number): uPlot.Options {
    const { height, isFromZero, syncKey, onReset } = this.#options;
    return {
      width,
      height,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: {
        points: { show: false },
        y: false,
        drag: { x: true, y: false, setScale: false, dist: 4 },
        sync: { key: syncKey, setSeries: false },
        bind: {
          dblclick: () => () => {
            onReset();
            return null;
          },
        },
      },
      scales: {
        x: { time: false, range: () => this.#timeRange() },
        y: { range: (_, min, max) => valueRange(min, max, isFromZero || this.#options.isStacked) },
      },
      axes: this.#axes(),
      series: [{}, ...this.#seriesOptions()],
      bands: this.#options.isStacked ? this.#bands() : [],
      hooks: {
        setSelect: [(plot) => this.#onSelect(plot)],
        setCursor: [(plot) => this.#onCursor(plot)],
      },
    };
  }

  #axes(): uPlot.Axis[] {
    const { unit, isUtc } = this.#options;
    const text = cssColor('--text-dim');
    const grid = { stroke: cssColor('--grid'), width: 1 };
    const font = '11px system-ui, sans-serif';
    const ticks = { ...grid, size: 4 };
    return [
      {
        stroke: text,
        font,
        grid,
        ticks,
        size: 34,
        space: 64,
        incrs: TIME_STEPS,
        splits: (_plot, _axis, min, max, step) => timeSplits(min, max, step, isUtc),
        values: (_, splits) => formatAxisTimes(splits, isUtc),
      },
      {
        stroke: text,
        font,
        grid,
        ticks,
        space: 28,
        size: (_, values) => 14 + 6.4 * Math.max(3, ...(values ?? []).map((value) => value.length)),
        values: (_, splits) => formatTicks(splits, unit),
        ...(unit.startsWith('bytes') ? { incrs: BINARY_STEPS } : {}),
      },
    ];
  }

  #seriesOptions(): uPlot.Series[] {
    const { isDark, isStacked } = this.#options;
    const strokes = chartStrokes(this.#data, isDark);
    return this.#data.series.map(({ name, values }, i) => {
      const { color, dash } = strokes[i]!;
      const isSingle = values.length < 2;
      return {
        label: name,
        show: !this.#hidden.has(name),
        stroke: color,
        width: isStacked ? 1 : 1.5,
        points: { show: isSingle, size: 5 },
        spanGaps: false,
        ...(dash.length > 0 && !isStacked ? { dash: [...dash] } : {}),
        ...(isStacked && i === this.#firstShown() ? { fill: `${color}59` } : {}),
      };
    });
  }

  #firstShown(): number {
    return this.#data.series.findIndex(({ name }) => !this.#hidden.has(name));
  }

  /** Each shown series is filled down to the one below it. */
  #bands(): uPlot.Band[] {
    const strokes = chartStrokes(this.#data, this.#options.isDark);
    const shown = this.#data.series.flatMap(({ name }, i) => (this.#hidden.has(name) ? [] : [i]));
    return shown
      .slice(1)
      .map((index, k) => ({ series: [index + 1, shown[k]! + 1], fill: `${strokes[index]!.color}59` }));
  }

  #timeRange(): [number, number] {
    const { times } = this.#data;
    if (times.length === 0) return [0, 1];
    const [first, last] = [times[0]!, times.at(-1)!];
    return last > first ? [first, last] : [first - 30, first + 30];
  }

  #onSelect(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [start, end] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#options.onZoom(start, end);
  }

  #onCursor(plot: uPlot): void {
    const { left = -10, top = -10 } = plot.cursor;
    if (!this.#isHovered) return;
    if (left < 0 || this.#data.times.length === 0) {
      this.clearHighlight();
      this.#options.onCursor(undefined);
      return;
    }
    const row = nearestRow(this.#data.times, plot.posToVal(left, 'x'));
    const isShown = (index: number): boolean => !this.#hidden.has(this.#data.series[index]!.name);
    const nearest = nearestSeries(this.#drawn, row, top, (value) => plot.valToPos(value, 'y'), isShown);
    this.highlight(nearest, row);
    this.#options.onCursor({ left: left + plot.over.offsetLeft, row, nearest });
  }
}

/** The row whose time is nearest, by bisection. */
export function nearestRow(times: Float64Array, seconds: number): number {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= seconds) low = middle;
    else high = middle;
  }
  return Math.abs(times[high]! - seconds) < Math.abs(seconds - times[low]!) ? high : low;
}

function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const TIME_STEPS = [
  0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  172_800, 604_800, 2_592_000, 31_536_000,
];

/** Ticks on whole steps of the shown clock. */
function timeSplits(min: number, max: number, step: number, isUtc: boolean): number[] {
  const shift = isUtc ? 0 : new Date(min * 1000).getTimezoneOffset() * 60;
  const splits: number[] = [];
  const first = Math.ceil((min - shift) / step) * step + shift;
  for (let at = first; at <= max; at += step) splits.push(at);
  return splits;
}

function valueRange(min: number | null, max: number | null, isFromZero: boolean): [number, number] {
  if (min === null || max === null || !Number.isFinite(min) || !Number.isFinite(max)) return [0, 1];
  if (isFromZero && min >= 0) return [0, max === 0 ? 1 : max * 1.06];
  if (min === max) {
    if (min === 0) return [0, 1];
    const pad = Math.abs(min) * 0.1;
    return [min - pad, max + pad];
  }
  const pad = (max - min) * 0.06;
  // A floor at zero is kept where the data touches it.
  return [min >= 0 && min < pad * 4 ? 0 : min - pad, max + pad];
}

/** Axis labels; in full where three digits would make neighbours look alike. */
export function formatTicks(splits: readonly number[], unit: Unit): string[] {
  const short = splits.map((split) => formatValue(split, unit));
  if (new Set(short).size === short.length) return short;
  return splits.map((split) => String(Number(split.toPrecision(12))));
}
