import { queryRange } from '../api.ts';
import { gridTimes, summarize, toColumn } from '../graph/columns.ts';
import type { ChartData, ChartSeries, Grid } from '../graph/columns.ts';
import { formatSeries, legendName } from '../graph/series-name.ts';
import type { PanelQuery } from './panels.ts';

export interface PanelData extends ChartData {
  /** Series there are, drawn or not. */
  readonly total: number;
}

/** Runs a panel's queries and keeps the `top` series with the largest mean. Expressions are complete. */
export async function loadPanel(
  queries: readonly PanelQuery[],
  grid: Grid,
  top: number,
  signal: AbortSignal,
): Promise<PanelData> {
  const times = gridTimes(grid);
  const answers = await Promise.all(queries.map(({ expr }) => queryRange({ query: expr, ...grid }, signal)));
  const series: ChartSeries[] = [];
  const names = new Set<string>();
  answers.forEach(({ data }, index) => {
    if (data.resultType !== 'matrix') return;
    for (const item of data.result) {
      let name = legendName(item.metric, queries[index]!.legend);
      // Two series of one name (another host's, say) would share colour and switch.
      if (names.has(name)) name = `${name} ${formatSeries(item.metric)}`;
      names.add(name);
      series.push({
        name,
        labels: item.metric,
        values: toColumn(item, grid, times.length),
        isMuted: queries[index]!.isMuted === true,
      });
    }
  });
  const isFixed = queries.every(({ legend }) => !legend.includes('{{'));
  return { times, series: isFixed ? series : topSeries(series, top), total: series.length };
}

/** The largest first, as far as they are drawn. */
function topSeries(series: readonly ChartSeries[], top: number): readonly ChartSeries[] {
  const mean = new Map(series.map((item) => [item, summarize(item.values)?.mean ?? -Infinity]));
  return [...series].sort((a, b) => mean.get(b)! - mean.get(a)!).slice(0, top);
}
