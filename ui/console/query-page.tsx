import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { navigate, place } from '../router.ts';
import { addHistory } from './history.ts';
import { QueryPanel } from './query-panel.tsx';
import { DEFAULT_PANEL, formatPanels, parsePanels } from './url-state.ts';
import type { PanelState } from './url-state.ts';

/** The console: any number of queries, all of whose state is in the URL. */
export function QueryPage() {
  const panels = parsePanels(place.value.search);
  const runs = useSignal(0);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const focusFirst = (): void => root.current?.querySelector('textarea')?.focus();
    if (panels.every(({ expr }) => expr === '')) focusFirst();
    const onKeyDown = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select') !== null;
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      focusFirst();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);

  function show(next: readonly PanelState[]): void {
    navigate('query', formatPanels(next));
  }
  function change(index: number, part: Partial<PanelState>): void {
    show(panels.map((panel, i) => (i === index ? { ...panel, ...part } : panel)));
  }

  return (
    <div class="page" ref={root}>
      <h1 class="hidden">Query</h1>
      {panels.map((panel, index) => (
        <QueryPanel
          key={index}
          panel={panel}
          index={index}
          isOnly={panels.length === 1}
          runs={runs.value}
          onChange={(part) => change(index, part)}
          onRun={(expr) => {
            addHistory(expr);
            runs.value++;
            change(index, { expr });
          }}
          onRemove={() => show(panels.filter((_, i) => i !== index))}
        />
      ))}
      <button type="button" onClick={() => show([...panels, DEFAULT_PANEL])}>
        Add query
      </button>
    </div>
  );
}
