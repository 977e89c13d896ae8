import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Fails, rather than skips, when there is no browser: the console is not proven without one. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(`browser tests need Chromium; none of ${CHROMIUM.join(', ')} exists (npm test installs it)`);
  }
  return chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
}

/** A real server on a free port with its data in a temporary folder. */
export interface TestServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts bin/narthex; `config` is a prometheus.yml, without it the built-in configuration is used. */
export async function startServer(config?: string): Promise<TestServer> {
  if (!existsSync(join(root, 'dist/ui/index.html'))) throw new Error('the console is not built: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'narthex-browser-'));
  const args = ['--web.listen-address=127.0.0.1:0', `--storage.tsdb.path=${join(folder, 'data')}`];
  if (config !== undefined) {
    writeFileSync(join(folder, 'prometheus.yml'), config);
    args.push(`--config.file=${join(folder, 'prometheus.yml')}`);
  }
  const child = spawn(join(root, 'bin/narthex'), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let i = 0; i < 400; i++) {
    const url = /open (http:\/\/\S+?)\/?\s/.exec(output)?.[1];
    if (url !== undefined && (await isReady(url))) return { url, close };
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  await close();
  throw new Error(`the server did not get ready:\n${output}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`)).ok;
  } catch {
    return false;
  }
}

/** A target that serves one body of text exposition. */
export async function startTarget(body: string): Promise<{ readonly address: string; close(): void }> {
  const server = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/plain' }).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a page did that it must not do. */
export interface Watch {
  /** Console errors, uncaught exceptions and requests that failed without being aborted. */
  readonly faults: string[];
  /** Requests to anything but the server. */
  readonly foreign: string[];
}

/** Records faults of a page from now on. `isExpected` names console errors the test provokes. */
export function watchPage(page: Page, url: string, isExpected: (text: string) => boolean = () => false): Watch {
  const watch: Watch = { faults: [], foreign: [] };
  page.on('console', (message) => {
    if (message.type() === 'error' && !isExpected(message.text())) watch.faults.push(message.text());
  });
  page.on('pageerror', (error) => watch.faults.push(String(error)));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? '';
    if (reason !== 'net::ERR_ABORTED') watch.faults.push(`${request.url()} ${reason}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) watch.foreign.push(request.url());
  });
  return watch;
}

/** Pixels of a canvas that were drawn on, as a share; 0 for an empty one. */
export function inkOf(page: Page, selector: string): Promise<number> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    if (!canvas || canvas.width === 0) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let ink = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) ink++;
    return ink / (data.length / 4);
  })()`);
}
