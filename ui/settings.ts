import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'narthex.settings';

interface Stored {
  readonly theme?: Theme;
  readonly isUtc?: boolean;
}

function read(): Stored {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Stored;
  } catch {
    // Storage may be switched off or hold something else: the defaults do.
    return {};
  }
}

const stored = read();
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const isSystemDark = signal(systemDark.matches);

export const theme = signal<Theme>(stored.theme === 'light' || stored.theme === 'dark' ? stored.theme : 'auto');
/** Whether times are shown in UTC instead of the browser's zone. */
export const isUtc = signal(stored.isUtc === true);
/** The theme in force; charts are drawn again when it changes. */
export const isDark = signal(false);

/** Applies the theme to the document and keeps settings. Call once. */
export function startSettings(): void {
  systemDark.addEventListener('change', (event) => (isSystemDark.value = event.matches));
  effect(() => {
    const dark = theme.value === 'auto' ? isSystemDark.value : theme.value === 'dark';
    document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
    isDark.value = dark;
  });
  effect(() => {
    const settings: Stored = { theme: theme.value, isUtc: isUtc.value };
    try {
      localStorage.setItem(KEY, JSON.stringify(settings));
    } catch {
      // Not kept then; nothing else depends on it.
    }
  });
}
