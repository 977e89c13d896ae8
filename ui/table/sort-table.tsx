import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { sortRows } from './sort-rows.ts';

export interface TableColumn<R> {
  readonly name: string;
  readonly isNumber?: boolean;
  /** What the column sorts by; undefined values come last. */
  readonly sortBy: (row: R) => string | number | undefined;
  readonly show: (row: R) => ComponentChildren;
}

interface Props<R> {
  readonly label: string;
  readonly rows: readonly R[];
  readonly columns: readonly TableColumn<R>[];
  readonly rowKey: (row: R) => string;
  /** Index of the column sorted by at first; numbers start with the largest. */
  readonly sortedBy: number;
}

/** A table whose columns sort by a click on their head. */
export function SortTable<R>({ label, rows, columns, rowKey, sortedBy }: Props<R>) {
  const order = useSignal({ column: sortedBy, isDescending: columns[sortedBy]?.isNumber === true });
  const { column, isDescending } = order.value;
  const sorted = sortRows(rows, columns[column]!.sortBy, isDescending);
  return (
    <div class="table-scroll">
      <table class="sortable" aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ name, isNumber = false }, index) => (
              <th
                key={name}
                class={isNumber ? 'num' : ''}
                aria-sort={index === column ? (isDescending ? 'descending' : 'ascending') : 'none'}
              >
                <button
                  type="button"
                  class="th-button"
                  onClick={() =>
                    (order.value = { column: index, isDescending: index === column ? !isDescending : isNumber })
                  }
                >
                  {index === column && isNumber && <SortSign isDescending={isDescending} />}
                  {name}
                  {index === column && !isNumber && <SortSign isDescending={isDescending} />}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ name, isNumber = false, show }) => (
                <td key={name} class={isNumber ? 'num' : ''}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SortSign({ isDescending }: { readonly isDescending: boolean }) {
  return (
    <span class="sort-sign" aria-hidden="true">
      {isDescending ? '▾' : '▴'}
    </span>
  );
}
