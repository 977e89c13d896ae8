import { signal } from '@preact/signals';

/**
 * Where the console is mounted, ending in '/'. Every page is one segment below it, so this also holds behind a path
 * prefix (`--web.external-url`).
 */
const base = location.pathname.slice(0, location.pathname.lastIndexOf('/') + 1);

export interface Place {
  /** Path below the base, without slashes: '' is the start page. */
  readonly path: string;
  /** With the question mark, or ''. */
  readonly search: string;
}

function readPlace(): Place {
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : '';
  return { path: path.replace(/\/+$/, ''), search: location.search };
}

/** The page shown. Changes by `navigate`, links, and Back and Forward. */
export const place = signal<Place>(readPlace());

/** The address of a page or of an API path below the base. */
export function href(path: string): string {
  return base + path;
}

/** Goes to a page below the base. `replace` keeps the history as it is. */
export function navigate(path: string, search = '', replace = false): void {
  const url = href(path) + search;
  if (url === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  place.value = readPlace();
}

/** Follows Back, Forward and plain clicks on links to our own pages. Call once. */
export function startRouter(): void {
  addEventListener('popstate', () => (place.value = readPlace()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target !== '' || link.origin !== location.origin || link.dataset['page'] === undefined) return;
    event.preventDefault();
    const url = new URL(link.href);
    navigate(url.pathname.slice(base.length), url.search);
  });
}
