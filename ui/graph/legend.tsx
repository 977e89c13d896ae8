import { formatValue } from '../format.ts';
import type { Unit } from '../format.ts';
import { VirtualList } from '../table/virtual-list.tsx';
import { summarize } from './columns.ts';
import type { ChartData } from './columns.ts';
import type { Stroke } from './palette.ts';

interface Props {
  readonly data: ChartData;
  readonly strokes: readonly Stroke[];
  readonly unit: Unit;
  readonly hidden: ReadonlySet<string>;
  readonly maxHeight: number;
  readonly onHidden: (hidden: ReadonlySet<string>) => void;
  /** Index of the series under the pointer or focus, -1 for none. */
  readonly onHighlight: (index: number) => void;
}

const ROW_HEIGHT = 24;

/** The series with their newest and largest value. Click shows one alone (again: all); Ctrl-click switches one. */
export function Legend({ data, strokes, unit, hidden, maxHeight, onHidden, onHighlight }: Props) {
  const names = data.series.map(({ name }) => name);
  function onClick(name: string, isToggle: boolean): void {
    if (isToggle) {
      const next = new Set(hidden);
      if (!next.delete(name)) next.add(name);
      onHidden(next.size === names.length ? new Set() : next);
      return;
    }
    const isSolo = !hidden.has(name) && hidden.size === names.length - 1 && names.length > 1;
    onHidden(isSolo ? new Set() : new Set(names.filter((other) => other !== name)));
  }
  return (
    <div class="legend" onMouseLeave={() => onHighlight(-1)}>
      <div class="legend-head" aria-hidden="true">
        <span>{names.length === 1 ? '1 series' : `${names.length} series`}</span>
        <span>last</span>
        <span>max</span>
      </div>
      <VirtualList count={names.length} rowHeight={ROW_HEIGHT} maxHeight={maxHeight} label="Series">
        {(index) => {
          const { name, values } = data.series[index]!;
          const summary = summarize(values);
          return (
            <button
              type="button"
              key={name}
              class={`legend-row${hidden.has(name) ? ' is-off' : ''}`}
              aria-pressed={!hidden.has(name)}
              title={`${name}\nClick: show only this. Ctrl-click: switch on or off.`}
              onClick={(event) => onClick(name, event.ctrlKey || event.metaKey)}
              onMouseEnter={() => onHighlight(index)}
              onFocus={() => onHighlight(index)}
              onBlur={() => onHighlight(-1)}
            >
              <Swatch stroke={strokes[index]!} />
              <span class="legend-name">{name}</span>
              <span class="num">{summary ? formatValue(summary.last, unit) : '–'}</span>
              <span class="num">{summary ? formatValue(summary.max, unit) : '–'}</span>
            </button>
          );
        }}
      </VirtualList>
    </div>
  );
}

/** A piece of the line as it is drawn. */
export function Swatch({ stroke }: { readonly stroke: Stroke }) {
  return (
    <svg class="swatch" width="16" height="10" viewBox="0 0 16 10" aria-hidden="true">
      <line
        x1="0"
        y1="5"
        x2="16"
        y2="5"
        stroke={stroke.color}
        stroke-width="3"
        stroke-dasharray={stroke.dash.join(' ')}
      />
    </svg>
  );
}
