import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { queryInstant, queryRange } from '../api.ts';
import type { Answer } from '../api.ts';
import type { QueryData } from '../../model/http-api.ts';
import { gridTimes, summarize, toColumn } from '../graph/columns.ts';
import type { ChartData, Grid } from '../graph/columns.ts';
import { Chart } from '../graph/chart.tsx';
import { formatSeries } from '../graph/series-name.ts';
import { Message, Notices } from '../message.tsx';
import { useResource } from '../resource.ts';
import { ResultTable } from '../table/result-table.tsx';
import { QueryFault } from './query-fault.tsx';
import { QueryInput } from './query-input.tsx';
import { TimeControls } from './time-controls.tsx';
import { chooseStepMs } from './url-state.ts';
import type { PanelState, Tab } from './url-state.ts';

interface Props {
  readonly panel: PanelState;
  readonly index: number;
  readonly isOnly: boolean;
  /** Counts presses of Run: the same query runs again. */
  readonly runs: number;
  readonly onChange: (change: Partial<PanelState>) => void;
  readonly onRun: (expr: string) => void;
  readonly onRemove: () => void;
}

interface Result extends Answer<QueryData> {
  /** What was asked, to draw the answer by. */
  readonly panel: PanelState;
  readonly grid: Grid;
}

/** One query with its result as table or graph. */
export function QueryPanel({ panel, index, isOnly, runs, onChange, onRun, onRemove }: Props) {
  const text = useSignal(panel.expr);
  useEffect(() => {
    text.value = panel.expr;
  }, [panel.expr]);
  const { displayMode: _, ...asked } = panel;
  const key = panel.expr.trim() === '' ? undefined : JSON.stringify([asked, runs]);
  const resource = useResource(key, (signal) => load(panel, signal)).value;
  const { error, tookMs } = resource;
  const data = resource.data?.panel.tab === panel.tab ? resource.data : undefined;
  const isLoading = key !== undefined && resource.isLoading;
  const letter = String.fromCharCode(65 + index);
  return (
    <section class="card query-panel" aria-label={`Query ${letter}`}>
      <QueryInput
        text={text}
        label={`Query ${letter}`}
        isInvalid={error !== undefined}
        isLoading={isLoading}
        onRun={() => onRun(text.value)}
      />
      <div class="panel-bar">
        <Tabs tab={panel.tab} onTab={(tab) => onChange({ tab })} />
        <TimeControls panel={panel} onChange={onChange} />
        <span class="dim took-note">{data && error === undefined && `${tookMs.toFixed(0)} ms`}</span>
        {!isOnly && (
          <button type="button" class="quiet" onClick={onRemove} aria-label={`Remove query ${letter}`}>
            Remove
          </button>
        )}
      </div>
      <div class={`panel-result${isLoading ? ' is-loading' : ''}`} aria-busy={isLoading} role="tabpanel">
        {key === undefined ? (
          <Message kind="empty" title="Nothing asked yet">
            Write a PromQL expression and press Enter. Shift+Enter breaks the line, Alt+↑ brings back earlier queries.
          </Message>
        ) : error !== undefined ? (
          <QueryFault error={error} query={panel.expr} />
        ) : data === undefined ? (
          <div class="skeleton result-skeleton" role="status" aria-label="Loading" />
        ) : (
          <>
            <Notices warnings={data.warnings} infos={data.infos} />
            {data.panel.tab === 'table' ? (
              <ResultTable data={data.data} />
            ) : (
              <ResultGraph result={data} panel={panel} onChange={onChange} />
            )}
          </>
        )}
      </div>
    </section>
  );
}

async function load(panel: PanelState, signal: AbortSignal): Promise<Result> {
  const { expr, tab, endMs, rangeMs, resolution } = panel;
  const step = chooseStepMs(rangeMs, resolution) / 1000;
  // Whole seconds read better, the next one so that the newest sample is in; a finer step keeps its milliseconds.
  const now = step >= 1 ? Math.ceil(Date.now() / 1000) : Date.now() / 1000;
  const end = endMs === undefined ? now : endMs / 1000;
  const grid = { start: end - rangeMs / 1000, end, step };
  const answer =
    tab === 'table'
      ? await queryInstant(expr, endMs === undefined ? undefined : end, signal)
      : await queryRange({ query: expr, ...grid }, signal);
  return { ...answer, panel, grid };
}

function Tabs({ tab, onTab }: { readonly tab: Tab; readonly onTab: (tab: Tab) => void }) {
  const names: readonly (readonly [Tab, string])[] = [
    ['table', 'Table'],
    ['graph', 'Graph'],
  ];
  return (
    <div class="tabs" role="tablist" aria-label="Show as">
      {names.map(([name, title]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={tab === name}
          tabIndex={tab === name ? 0 : -1}
          onClick={() => onTab(name)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
            onTab(tab === 'table' ? 'graph' : 'table');
            const other = event.currentTarget.nextElementSibling ?? event.currentTarget.previousElementSibling;
            if (other instanceof HTMLElement) other.focus();
          }}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

const GRAPH_HEIGHT = 380;
const SERIES_DRAWN_MAX = 500;

interface GraphProps {
  readonly result: Result;
  readonly panel: PanelState;
  readonly onChange: (change: Partial<PanelState>) => void;
}

function ResultGraph({ result, panel, onChange }: GraphProps) {
  const drawn = useSignal<{ of: Result; data: ChartData } | undefined>(undefined);
  if (drawn.peek()?.of !== result) drawn.value = { of: result, data: toChartData(result) };
  const { data } = drawn.peek()!;
  // Zooms made here: each is one step back in the history.
  const zooms = useRef(0);
  const total = result.data.resultType === 'matrix' ? result.data.result.length : 0;
  if (total === 0) {
    return (
      <Message kind="empty" title="The query gives no series in this range">
        Nothing matches here: check names and label values, or choose another range.
      </Message>
    );
  }
  return (
    <>
      {total > data.series.length && (
        <Message kind="info" title={`${data.series.length} of ${total.toLocaleString('en')} series are drawn`}>
          Those with the largest spread. Narrow the selection, or ask for topk(10, …).
        </Message>
      )}
      <Chart
        data={data}
        title={panel.expr}
        unit="none"
        height={GRAPH_HEIGHT}
        legendHeight={240}
        isStacked={panel.displayMode === 'stacked'}
        isFromZero={false}
        onZoom={(start, end) => {
          zooms.current++;
          onChange({ rangeMs: Math.max(1000, Math.round(end - start) * 1000), endMs: Math.ceil(end) * 1000 });
        }}
        onReset={() => {
          if (zooms.current === 0) return;
          zooms.current--;
          history.back();
        }}
      />
    </>
  );
}

function toChartData({ data, grid }: Result): ChartData {
  const times = gridTimes(grid);
  if (data.resultType !== 'matrix') return { times, series: [] };
  const series = data.result.map((item) => ({
    name: formatSeries(item.metric),
    labels: item.metric,
    values: toColumn(item, grid, times.length),
  }));
  if (series.length <= SERIES_DRAWN_MAX) return { times, series };
  const spread = new Map(
    series.map((item) => {
      const summary = summarize(item.values);
      return [item, summary ? summary.max - summary.min : -1];
    }),
  );
  series.sort((a, b) => spread.get(b)! - spread.get(a)!);
  return { times, series: series.slice(0, SERIES_DRAWN_MAX) };
}
