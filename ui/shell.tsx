import type { ComponentChildren } from 'preact';
import { href, place } from './router.ts';
import { isDark, isUtc, theme } from './settings.ts';
import type { Theme } from './settings.ts';

const PAGES: readonly (readonly [path: string, title: string])[] = [
  ['', 'Overview'],
  ['query', 'Query'],
  ['targets', 'Targets'],
  ['status', 'Status'],
];
/** Pages below the Status entry of the menu. */
const STATUS_PAGES: readonly (readonly [path: string, title: string])[] = [
  ['status', 'Runtime'],
  ['tsdb-status', 'TSDB'],
  ['flags', 'Flags'],
  ['config', 'Configuration'],
];
const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: 'light', light: 'dark', dark: 'auto' };

/** Header, menu and settings around a page. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const { path } = place.value;
  const isStatus = STATUS_PAGES.some(([page]) => page === path);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={href('')} data-page>
          <Arch />
          Narthex
        </a>
        <nav aria-label="Pages">
          {PAGES.map(([page, title]) => (
            <PageLink key={page} page={page} title={title} isHere={page === 'status' ? isStatus : page === path} />
          ))}
        </nav>
        <div class="top-settings">
          <button
            type="button"
            class="quiet"
            title="Times in UTC or in the browser's zone"
            onClick={() => (isUtc.value = !isUtc.value)}
          >
            {isUtc.value ? 'UTC' : 'Local time'}
          </button>
          <button
            type="button"
            class="quiet"
            title="Theme: automatic, light, dark"
            onClick={() => (theme.value = NEXT_THEME[theme.value])}
          >
            <ThemeIcon />
            {theme.value === 'auto' ? 'Auto' : theme.value === 'light' ? 'Light' : 'Dark'}
          </button>
        </div>
      </header>
      {isStatus && (
        <nav class="sub" aria-label="Status pages">
          {STATUS_PAGES.map(([page, title]) => (
            <PageLink key={page} page={page} title={title} isHere={page === path} />
          ))}
        </nav>
      )}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function PageLink({ page, title, isHere }: { page: string; title: string; isHere: boolean }) {
  return (
    <a href={href(page)} data-page aria-current={isHere ? 'page' : undefined}>
      {title}
    </a>
  );
}

/** The mark: an arch within an arch. */
function Arch() {
  return (
    <svg class="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d="M2 18V9a8 8 0 0 1 16 0v9" fill="none" stroke="currentColor" stroke-width="2.2" />
      <path d="M6.5 18v-8.5a3.5 3.5 0 0 1 7 0V18" fill="none" stroke="currentColor" stroke-width="2.2" />
    </svg>
  );
}

function ThemeIcon() {
  return (
    <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" />
      <path d={isDark.value ? 'M8 2a6 6 0 0 0 0 12z' : 'M8 2a6 6 0 0 1 0 12z'} fill="currentColor" />
    </svg>
  );
}
