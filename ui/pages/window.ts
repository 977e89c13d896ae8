import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Grid } from '../graph/columns.ts';
import { navigate, place } from '../router.ts';
import { formatWindow, parseWindow, windowGrid } from './window-state.ts';
import type { WindowState } from './window-state.ts';

export interface LiveWindow {
  readonly state: WindowState;
  readonly grid: Grid;
  /** Counts refreshes, so that what shows the newest values loads again. */
  readonly tick: number;
  set(change: Partial<WindowState>): void;
}

/** The window in the page's URL, moving with the clock while the page is visible. */
export function useLiveWindow(): LiveWindow {
  const state = parseWindow(place.value.search);
  const now = useSignal({ ms: Date.now(), tick: 0 });
  const { refreshMs, endMs } = state;
  useEffect(() => {
    if (refreshMs === 0 || endMs !== undefined) return undefined;
    const move = (): void => {
      if (!document.hidden) now.value = { ms: Date.now(), tick: now.peek().tick + 1 };
    };
    const timer = setInterval(move, refreshMs);
    document.addEventListener('visibilitychange', move);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', move);
    };
  }, [refreshMs, endMs]);
  return {
    state,
    grid: windowGrid(state, now.value.ms),
    tick: now.value.tick,
    set: (change) => {
      const next = { ...state, ...change };
      now.value = { ms: Date.now(), tick: now.peek().tick + 1 };
      navigate(place.value.path, formatWindow(next));
    },
  };
}
