import { useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatTime, formatValue } from '../format.ts';
import type { Unit } from '../format.ts';
import { isDark, isUtc } from '../settings.ts';
import { summarize } from './columns.ts';
import type { ChartData } from './columns.ts';
import { drawQueue } from './draw-queue.ts';
import { Legend, Swatch } from './legend.tsx';
import { Plot, chartStrokes } from './plot.ts';
import type { PlotCursor } from './plot.ts';
import type { Stroke } from './palette.ts';

export interface ChartProps {
  readonly data: ChartData;
  readonly title: string;
  readonly unit: Unit;
  readonly height: number;
  readonly isStacked: boolean;
  readonly isFromZero: boolean;
  readonly legendHeight: number;
  readonly onZoom: (startSeconds: number, endSeconds: number) => void;
  readonly onReset: () => void;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** A line chart with legend, tooltip and keyboard cursor. Draws only while it is in view. */
export function Chart(props: ChartProps) {
  const { data, title, unit, height, legendHeight } = props;
  const hidden = useSignal(NO_NAMES);
  const cursor = useSignal<PlotCursor | undefined>(undefined);
  const { root, plot } = usePlot(props, hidden.value, cursor);
  const strokes = chartStrokes(data, isDark.value);

  function onKeyDown(event: KeyboardEvent): void {
    const rows = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (rows === 0) return;
    event.preventDefault();
    plot.current?.moveCursor(event.shiftKey ? rows * 10 : rows);
  }

  return (
    <div class="chart">
      <div
        class="chart-area"
        role="img"
        tabIndex={0}
        aria-label={describe(title, data, unit)}
        onKeyDown={onKeyDown}
        onBlur={() => plot.current?.leave()}
      >
        <div ref={root} class="chart-root" style={{ height: `${height}px` }} />
        <Tooltip cursor={cursor} data={data} strokes={strokes} unit={unit} hidden={hidden.value} />
      </div>
      <Legend
        data={data}
        strokes={strokes}
        unit={unit}
        hidden={hidden.value}
        maxHeight={legendHeight}
        onHidden={(names) => (hidden.value = names)}
        onHighlight={(index) => (index < 0 ? plot.current?.clearHighlight() : plot.current?.highlight(index))}
      />
    </div>
  );
}

/** Keeps a Plot for the element, made anew when its look changes, fed when it is in view. */
function usePlot(props: ChartProps, hidden: ReadonlySet<string>, cursor: Signal<PlotCursor | undefined>) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const latest = useRef({ props, hidden });
  latest.current = { props, hidden };
  const draw = useRef<() => void>(() => undefined);
  const { unit, height, isStacked, isFromZero } = props;
  const [dark, utc] = [isDark.value, isUtc.value];

  useEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const made = new Plot(element, {
      unit,
      height,
      isStacked,
      isFromZero,
      isDark: dark,
      isUtc: utc,
      syncKey: 'page',
      onZoom: (start, end) => latest.current.props.onZoom(start, end),
      onReset: () => latest.current.props.onReset(),
      onCursor: (at) => (cursor.value = at),
    });
    plot.current = made;
    let isInView = false;
    draw.current = () => {
      if (!isInView || element.clientWidth === 0) return;
      drawQueue.schedule(made, () =>
        made.update(latest.current.props.data, latest.current.hidden, element.clientWidth),
      );
    };
    const view = new IntersectionObserver(
      (entries) => {
        isInView = entries.some((entry) => entry.isIntersecting);
        draw.current();
      },
      { rootMargin: '150px' },
    );
    const size = new ResizeObserver(() => draw.current());
    view.observe(element);
    size.observe(element);
    return () => {
      view.disconnect();
      size.disconnect();
      drawQueue.cancel(made);
      made.destroy();
    };
  }, [unit, height, isStacked, isFromZero, dark, utc]);
  useEffect(() => draw.current(), [props.data, hidden]);
  return { root, plot };
}

interface TooltipProps {
  readonly cursor: Signal<PlotCursor | undefined>;
  readonly data: ChartData;
  readonly strokes: readonly Stroke[];
  readonly unit: Unit;
  readonly hidden: ReadonlySet<string>;
}

const TOOLTIP_ROWS_MAX = 12;

/** The moment under the cursor and the values there, largest first, the nearest series marked. */
function Tooltip({ cursor, data, strokes, unit, hidden }: TooltipProps) {
  const at = cursor.value;
  const seconds = at ? data.times[at.row] : undefined;
  if (!at || seconds === undefined) return null;
  const rows = data.series
    .map(({ name, values }, index) => ({ name, index, value: values[at.row] ?? null }))
    .filter((row): row is typeof row & { value: number } => row.value !== null && !hidden.has(row.name))
    .sort((a, b) => b.value - a.value);
  const position = rows.findIndex(({ index }) => index === at.nearest);
  const first = Math.max(0, Math.min(position - TOOLTIP_ROWS_MAX / 2, rows.length - TOOLTIP_ROWS_MAX));
  const shown = rows.slice(first, first + TOOLTIP_ROWS_MAX);
  const rest = rows.length - shown.length;
  return (
    <div class="tooltip-anchor" style={{ left: `${at.left}px` }}>
      <div class={`tooltip${at.left > 260 ? ' is-left' : ''}`} role="status">
        <div class="tooltip-time">{formatTime(Math.round(seconds * 1000), isUtc.value)}</div>
        {shown.map(({ name, index, value }) => (
          <div key={name} class={`tooltip-row${index === at.nearest ? ' is-nearest' : ''}`}>
            <Swatch stroke={strokes[index]!} />
            <span class="tooltip-name">{name}</span>
            <span class="num">{formatValue(value, unit)}</span>
          </div>
        ))}
        {rows.length === 0 && <div class="dim">no values here</div>}
        {rest > 0 && <div class="dim">and {rest} more</div>}
      </div>
    </div>
  );
}

function describe(title: string, data: ChartData, unit: Unit): string {
  const parts = data.series.slice(0, 3).map(({ name, values }) => {
    const summary = summarize(values);
    if (!summary) return `${name} without values`;
    const show = (value: number): string => formatValue(value, unit);
    return `${name} from ${show(summary.min)} to ${show(summary.max)}, now ${show(summary.last)}`;
  });
  return `${title}: graph of ${data.series.length} series. ${parts.join('; ')}. Arrow keys move the cursor.`;
}
