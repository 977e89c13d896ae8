import { useSignal } from '@preact/signals';
import type { ApiHistogram, ApiPoint, LabelSet, QueryData } from '../../model/http-api.ts';
import { formatExact, formatTime } from '../format.ts';
import { formatSeries } from '../graph/series-name.ts';
import { Message } from '../message.tsx';
import { isUtc } from '../settings.ts';
import { sortRows } from './sort-rows.ts';
import { VirtualList } from './virtual-list.tsx';

interface Row {
  readonly key: string;
  readonly labels: LabelSet;
  /** What is shown: one line, or one a sample for range vectors. */
  readonly lines: readonly string[];
  /** For sorting; NaN for what is no number. */
  readonly value: number;
}

type Order = 'none' | 'series' | 'value';

const ROW_HEIGHT = 28;
const MAX_HEIGHT = 640;
const LINES_MAX = 2000;

/** An instant query's result. Vectors are drawn row by row as they come into view. */
export function ResultTable({ data }: { readonly data: QueryData }) {
  const filter = useSignal('');
  const order = useSignal<{ by: Order; isDescending: boolean }>({ by: 'none', isDescending: false });
  if (data.resultType === 'scalar' || data.resultType === 'string') return <SingleValue data={data} />;
  const rows = toRows(data);
  if (rows.length === 0) {
    return (
      <Message kind="empty" title="The query gives no series at this moment">
        Nothing matches now: check names and label values, or choose another moment.
      </Message>
    );
  }
  const wanted = filter.value.trim().toLowerCase();
  const shown = wanted === '' ? rows : rows.filter(({ key }) => key.toLowerCase().includes(wanted));
  const { by, isDescending } = order.value;
  const sorted =
    by === 'none' ? shown : sortRows(shown, (row) => (by === 'series' ? row.key : row.value), isDescending);
  const sortBy = (next: Order): void => {
    order.value = { by: next, isDescending: by === next ? !isDescending : next === 'value' };
  };
  const sign = (column: Order): string => (by === column ? (isDescending ? ' ▾' : ' ▴') : '');
  return (
    <div class="result">
      <div class="result-head">
        <button type="button" class="th-button" onClick={() => sortBy('series')}>
          {rows.length === 1 ? '1 series' : `${rows.length.toLocaleString('en')} series`}
          {sign('series')}
        </button>
        {rows.length > 8 && (
          <input
            type="search"
            placeholder="Filter series"
            aria-label="Filter series"
            value={filter.value}
            onInput={(event) => (filter.value = event.currentTarget.value)}
          />
        )}
        <button type="button" class="th-button num" onClick={() => sortBy('value')}>
          Value{sign('value')}
        </button>
      </div>
      {data.resultType === 'matrix' ? (
        sorted.map((row) => <MatrixRow key={row.key} row={row} />)
      ) : (
        <VirtualList count={sorted.length} rowHeight={ROW_HEIGHT} maxHeight={MAX_HEIGHT} label="Result">
          {(index) => <VectorRow key={sorted[index]!.key} row={sorted[index]!} />}
        </VirtualList>
      )}
    </div>
  );
}

function VectorRow({ row }: { readonly row: Row }) {
  return (
    <div class="result-row">
      <SeriesName labels={row.labels} text={row.key} />
      <span class="num mono">{row.lines[0]}</span>
    </div>
  );
}

function MatrixRow({ row }: { readonly row: Row }) {
  return (
    <div class="result-row is-tall">
      <SeriesName labels={row.labels} text={row.key} />
      <span class="num mono">
        {row.lines.slice(0, LINES_MAX).map((line) => (
          <div key={line}>{line}</div>
        ))}
        {row.lines.length > LINES_MAX && <div class="dim">and {row.lines.length - LINES_MAX} more</div>}
      </span>
    </div>
  );
}

/** A series with the metric name and label names set apart. */
function SeriesName({ labels, text }: { readonly labels: LabelSet; readonly text: string }) {
  const pairs = Object.entries(labels).filter(([name]) => name !== '__name__');
  return (
    <span class="series-name mono" title={text}>
      <span class="metric-name">{labels['__name__'] ?? ''}</span>
      {(pairs.length > 0 || labels['__name__'] === undefined) && '{'}
      {pairs.map(([name, value], i) => (
        <span key={name}>
          {i > 0 && ', '}
          <span class="label-name">{name}</span>=<span class="label-value">{JSON.stringify(value)}</span>
        </span>
      ))}
      {(pairs.length > 0 || labels['__name__'] === undefined) && '}'}
    </span>
  );
}

function SingleValue({ data }: { readonly data: QueryData & { readonly result: ApiPoint } }) {
  const [, value] = data.result;
  return (
    <div class="result">
      <div class="result-head">
        <span>{data.resultType}</span>
      </div>
      <div class="result-row">
        <span class="mono strong">{data.resultType === 'string' ? JSON.stringify(value) : value}</span>
      </div>
    </div>
  );
}

function toRows(data: QueryData): Row[] {
  if (data.resultType === 'vector') {
    return data.result.map(({ metric, value, histogram }) => ({
      key: formatSeries(metric),
      labels: metric,
      lines: [value ? value[1] : histogram ? histogramText(histogram[1]) : ''],
      value: value ? Number(value[1].replace('Inf', 'Infinity')) : Number(histogram?.[1].count),
    }));
  }
  if (data.resultType !== 'matrix') return [];
  return data.result.map(({ metric, values = [], histograms = [] }) => {
    const points = [
      ...values.map(([time, value]) => [time, value] as const),
      ...histograms.map(([time, histogram]) => [time, histogramText(histogram)] as const),
    ].sort((a, b) => a[0] - b[0]);
    return {
      key: formatSeries(metric),
      labels: metric,
      lines: points.map(([time, text]) => `${text} @ ${formatTime(Math.round(time * 1000), isUtc.value)}`),
      value: Number(points.at(-1)?.[1]),
    };
  });
}

function histogramText({ count, sum, buckets = [] }: ApiHistogram): string {
  return `histogram: count ${formatExact(Number(count))}, sum ${formatExact(Number(sum))}, ${buckets.length} buckets`;
}
