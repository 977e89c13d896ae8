import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface Props {
  readonly count: number;
  readonly rowHeight: number;
  /** CSS pixels; a shorter list takes less. */
  readonly maxHeight: number;
  readonly label: string;
  readonly children: (index: number) => ComponentChildren;
}

/** Rows drawn beyond the visible ones, on both sides. */
const OVERSCAN = 6;

/** A scrolling list of equally high rows of which only the visible ones exist. */
export function VirtualList({ count, rowHeight, maxHeight, label, children }: Props) {
  const top = useSignal(0);
  const root = useRef<HTMLDivElement>(null);
  const height = Math.min(maxHeight, count * rowHeight);
  useLayoutEffect(() => {
    // A shorter list may have moved the browser's own scroll position.
    if (root.current) top.value = root.current.scrollTop;
  }, [count]);
  const first = Math.max(0, Math.floor(top.value / rowHeight) - OVERSCAN);
  const last = Math.min(count, Math.ceil((top.value + height) / rowHeight) + OVERSCAN);
  const rows: ComponentChildren[] = [];
  for (let i = first; i < last; i++) rows.push(children(i));
  return (
    <div
      ref={root}
      class="virtual"
      role="group"
      aria-label={label}
      style={{ height: `${height}px` }}
      onScroll={(event) => (top.value = event.currentTarget.scrollTop)}
    >
      <div class="virtual-space" style={{ height: `${count * rowHeight}px` }}>
        <div class="virtual-rows" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
