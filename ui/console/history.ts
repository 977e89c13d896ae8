const KEY = 'narthex.history';
const ENTRIES_MAX = 100;

/** Queries that were run, newest first. */
export function readHistory(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((entry) => typeof entry === 'string') : [];
  } catch {
    // Storage may be switched off: then there is no history.
    return [];
  }
}

export function addHistory(expr: string): void {
  if (expr.trim() === '') return;
  const next = [expr, ...readHistory().filter((entry) => entry !== expr)].slice(0, ENTRIES_MAX);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // As above.
  }
}
