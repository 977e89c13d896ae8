import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { errorText } from '../api.ts';
import { DEFAULT_PANEL, formatPanels } from '../console/url-state.ts';
import { Chart } from '../graph/chart.tsx';
import { Message } from '../message.tsx';
import { useResource } from '../resource.ts';
import { href } from '../router.ts';
import { loadPanel } from './load-panel.ts';
import type { PanelData } from './load-panel.ts';
import { fillExpr } from './panels.ts';
import type { PanelDefinition } from './panels.ts';
import { rateWindow } from './window-state.ts';
import type { LiveWindow } from './window.ts';

interface Props {
  readonly definition: PanelDefinition;
  readonly live: LiveWindow;
  readonly host: string | undefined;
}

const HEIGHT = 168;
const LEGEND_HEIGHT = 120;

/** A graph of the start page: loads while it is in view, opens in the console. */
export function GraphPanel({ definition, live, host }: Props) {
  const { title, unit, isStacked = false, top = 40, absent } = definition;
  const { grid, state } = live;
  const root = useRef<HTMLElement>(null);
  const isInView = useInView(root);
  const queries = definition.queries.map((query) => ({
    ...query,
    expr: fillExpr(query.expr, host, rateWindow(grid)),
  }));
  const key = isInView ? JSON.stringify([queries.map(({ expr }) => expr), grid]) : undefined;
  const { data, error } = useResource(key, (signal) => loadPanel(queries, grid, top, signal)).value;
  const panels = queries.map(({ expr }) => ({
    ...DEFAULT_PANEL,
    expr,
    tab: 'graph' as const,
    rangeMs: state.rangeMs,
    endMs: state.endMs,
    displayMode: isStacked ? ('stacked' as const) : ('lines' as const),
  }));
  return (
    <section class="card panel" ref={root} aria-label={title}>
      <header class="card-head">
        <h3>
          <a href={href('query') + formatPanels(panels)} data-page title="Open in the query page">
            {title}
          </a>
        </h3>
        {data !== undefined && data.total > data.series.length && (
          <span class="dim">
            top {data.series.length} of {data.total}
          </span>
        )}
      </header>
      <PanelBody data={data} error={error} absent={absent}>
        {(shown) => (
          <Chart
            data={shown}
            title={title}
            unit={unit}
            height={HEIGHT}
            legendHeight={LEGEND_HEIGHT}
            isStacked={isStacked}
            isFromZero={true}
            onZoom={(start, end) => live.set(zoomed(start, end))}
            onReset={() => live.set({ endMs: undefined, rangeMs: Math.max(state.rangeMs, 900_000) })}
          />
        )}
      </PanelBody>
    </section>
  );
}

interface BodyProps {
  readonly data: PanelData | undefined;
  readonly error: unknown;
  readonly absent: string;
  readonly children: (data: PanelData) => ComponentChildren;
}

function PanelBody({ data, error, absent, children }: BodyProps) {
  if (error !== undefined && data === undefined) {
    return (
      <div class="panel-state">
        <Message kind="error" title={errorText(error)} />
      </div>
    );
  }
  if (data === undefined) return <div class="panel-state skeleton" role="status" aria-label="Loading" />;
  if (data.series.length === 0) {
    return (
      <div class="panel-state">
        <Message kind="empty" title="No data in this range">
          {absent} After a start, rates need two scrapes.
        </Message>
      </div>
    );
  }
  return (
    <>
      {error !== undefined && <Message kind="warning" title={`Not refreshed: ${errorText(error)}`} />}
      {children(data)}
    </>
  );
}

function zoomed(start: number, end: number): { rangeMs: number; endMs: number } {
  const rangeMs = Math.max(10_000, Math.round(end - start) * 1000);
  return { rangeMs, endMs: Math.round(end) * 1000 };
}

function useInView(root: { readonly current: HTMLElement | null }): boolean {
  const isInView = useSignal(false);
  useEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const view = new IntersectionObserver(
      (entries) => (isInView.value = entries.some((entry) => entry.isIntersecting)),
      { rootMargin: '200px' },
    );
    view.observe(element);
    return () => view.disconnect();
  }, []);
  return isInView.value;
}
