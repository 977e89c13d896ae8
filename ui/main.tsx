import { render } from 'preact';
import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import { QueryPage } from './console/query-page.tsx';
import { Message } from './message.tsx';
import { StartPage } from './pages/start.tsx';
import { ConfigPage, FlagsPage, StatusPage, TsdbPage } from './pages/status.tsx';
import { TargetsPage } from './pages/targets.tsx';
import { href, navigate, place, startRouter } from './router.ts';
import { startSettings } from './settings.ts';
import { Shell } from './shell.tsx';
import './style/base.css';
import './style/parts.css';
import './style/pages.css';

/** Pages by path below the base, with the title of the browser's tab. */
const PAGES: Readonly<Record<string, readonly [title: string, page: () => ComponentChild]>> = {
  '': ['Overview', () => <StartPage />],
  host: ['Host', () => <StartPage />],
  containers: ['Containers', () => <StartPage />],
  query: ['Query', () => <QueryPage />],
  targets: ['Targets', () => <TargetsPage />],
  status: ['Runtime', () => <StatusPage />],
  'tsdb-status': ['TSDB', () => <TsdbPage />],
  flags: ['Flags', () => <FlagsPage />],
  config: ['Configuration', () => <ConfigPage />],
};

function App() {
  const { path, search } = place.value;
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
  useEffect(() => {
    // Prometheus' old path of the console.
    if (path === 'graph') navigate('query', search, true);
    document.title = page ? `${page[0]} – Narthex` : 'Narthex';
  }, [path]);
  return (
    <Shell>
      {page ? (
        page[1]()
      ) : (
        <div class="page">
          <Message kind="error" title={`There is no page "${path}"`}>
            <a href={href('')} data-page>
              To the overview
            </a>
          </Message>
        </div>
      )}
    </Shell>
  );
}

startSettings();
startRouter();
const root = document.getElementById('app');
if (root) render(<App />, root);
