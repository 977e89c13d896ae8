// The console in a real Chromium against a real server: what it shows, that links keep it, and that it does no harm.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inkOf, launchBrowser, startServer, startTarget, watchPage } from './support.ts';
import type { TestServer, Watch } from './support.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});

async function open(
  url: string,
  path: string,
  isExpected?: (text: string) => boolean,
): Promise<{ page: Page; watch: Watch }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const watch = watchPage(page, url, isExpected);
  await page.goto(url + path);
  return { page, watch };
}

function expectHarmless({ faults, foreign }: Watch): void {
  expect(faults).toEqual([]);
  expect(foreign).toEqual([]);
}

describe('the built-in configuration', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  test('the start page fills without a click and moves', async () => {
    const { page, watch } = await open(server.url, '/');
    await page.getByText('3 of 3').or(page.getByText('2 of 2')).waitFor();
    for (const title of ['Memory', 'Load', 'CPU by mode (cores)', 'Network in', 'Disk I/O']) {
      const panel = page.getByRole('region', { name: title, exact: true }).first();
      await panel.scrollIntoViewIfNeeded();
      await panel.locator('.legend-row').first().waitFor();
    }
    expect(await inkOf(page, '[aria-label="Memory"] canvas')).toBeGreaterThan(0.01);
    await page.getByRole('region', { name: 'File systems' }).getByText(' of ').first().waitFor();
    // Either the containers by name, or the reason why there are none.
    await page.locator('table[aria-label="Containers"] tbody tr, .message.is-empty strong').first().waitFor();
    const nextEnd = async (): Promise<number> => {
      const request = await page.waitForRequest(/\/api\/v1\/query_range$/);
      return Number(new URLSearchParams(request.postData() ?? '').get('end'));
    };
    const end = await nextEnd();
    await expect.poll(nextEnd, { timeout: 20_000 }).toBeGreaterThan(end);
    expectHarmless(watch);
    await page.context().close();
  });

  test('a drag on a graph zooms, and Back leads out', async () => {
    const { page, watch } = await open(server.url, '/?range=5m');
    const area = page.locator('[aria-label="Load"] .u-over');
    const box = (await area.boundingBox())!;
    await page.mouse.move(box.x + 50, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 150, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'Back to live' }).waitFor();
    expect(page.url()).toMatch(/end=/);
    await page.goBack();
    await page.getByRole('button', { name: 'Back to live' }).waitFor({ state: 'detached' });
    expectHarmless(watch);
    await page.context().close();
  });

  test('a query gives a table, then a graph; the URL and Back and Forward keep it', async () => {
    const { page, watch } = await open(server.url, '/query');
    const field = page.getByRole('textbox', { name: 'Query A' });
    await field.fill('up');
    await field.press('Enter');
    await page.getByText(/[23] series/).waitFor();
    expect(await page.locator('.result-row').first().innerText()).toMatch(
      /^up\{instance="127\.0\.0\.1:\d+", job="\w+"\}\s*1$/,
    );
    await page.getByRole('tab', { name: 'Graph' }).click();
    await page.locator('.u-over').waitFor();
    await page.getByRole('textbox', { name: 'Range', exact: true }).fill('10m');
    await page.getByRole('textbox', { name: 'Range', exact: true }).press('Enter');
    await page.waitForURL(/range_input=10m/);
    expect(new URL(page.url()).searchParams.get('g0.expr')).toBe('up');
    await page.reload();
    await page.locator('.legend-row').first().waitFor();
    expect(await field.inputValue()).toBe('up');
    expect(await page.getByRole('textbox', { name: 'Range', exact: true }).inputValue()).toBe('10m');
    await expect.poll(() => inkOf(page, '.chart canvas')).toBeGreaterThan(0.001);
    await page.goBack();
    await expect.poll(() => page.getByRole('textbox', { name: 'Range', exact: true }).inputValue()).toBe('1h');
    await page.goBack();
    await page.locator('.result-row').first().waitFor();
    await page.goForward();
    await page.locator('.u-over').waitFor();
    expectHarmless(watch);
    await page.context().close();
  });

  test('hovering shows values and the nearest series, a legend row shows one alone', async () => {
    const { page, watch } = await open(
      server.url,
      '/query?g0.expr=scrape_samples_scraped&g0.tab=graph&g0.range_input=30s',
    );
    await page.locator('.legend-row').first().waitFor();
    const box = (await page.locator('.u-over').boundingBox())!;
    await page.mouse.move(box.x + box.width - 4, box.y + 40);
    await page.locator('.tooltip-row.is-nearest').waitFor();
    expect(await inkOf(page, '.plot-overlay')).toBeGreaterThan(0);
    await page.locator('.legend-row').nth(1).click();
    expect(await page.locator('.legend-row[aria-pressed="true"]').count()).toBe(1);
    await page.locator('.legend-row').nth(1).click();
    expect(await page.locator('.legend-row[aria-pressed="false"]').count()).toBe(0);
    await page.locator('.chart-area').focus();
    await page.keyboard.press('ArrowLeft');
    await page.locator('.tooltip-time').waitFor();
    expectHarmless(watch);
    await page.context().close();
  });

  test('a fault is told with its place in the query', async () => {
    const { page, watch } = await open(server.url, '/query', (text) => text.includes('400'));
    const field = page.getByRole('textbox', { name: 'Query A' });
    await field.fill('sum(up) + foo(1)');
    await field.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toMatch(/parse error: unknown function with name "foo"/);
    expect(await page.locator('.fault-query mark').innerText()).toBe('foo');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('nothing_like_this');
    await field.press('Enter');
    await page.getByText('gives no series').waitFor();
    expectHarmless(watch);
    await page.context().close();
  });

  test('targets are up, and the status pages show', async () => {
    const { page, watch } = await open(server.url, '/targets');
    await expect.poll(() => page.locator('.health.is-up').count()).toBeGreaterThanOrEqual(2);
    expect(await page.getByRole('region', { name: 'Job narthex' }).innerText()).toContain('1 of 1 up');
    const pages = [
      ['Runtime', 'goroutineCount'],
      ['TSDB', 'Series by metric name'],
      ['Flags', '--storage.tsdb.path'],
      ['Configuration', 'job_name: narthex'],
    ] as const;
    await page.getByRole('link', { name: 'Status' }).click();
    for (const [name, text] of pages) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByText(text).first().waitFor();
    }
    expectHarmless(watch);
    await page.context().close();
  });

  test.each([
    ['/', 320],
    ['/query?g0.expr=up&g0.tab=graph', 320],
    ['/targets', 390],
    ['/tsdb-status', 320],
  ] as const)('%s fits a screen of %d pixels', async (path, width) => {
    const { page, watch } = await open(server.url, path);
    await page.setViewportSize({ width, height: 700 });
    await page.locator('.card').first().waitFor();
    await page.waitForTimeout(500);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    expectHarmless(watch);
    await page.context().close();
  });
});

// Markup in names, values and help must stay text; a broken target's error too.
test('hostile metrics and labels are shown as text', async () => {
  const markup = '<img src=x onerror=alert(1)>';
  const good = await startTarget(`evil_metric{name="${markup}",other="</script><script>alert(2)</script>"} 1\n`);
  const bad = await startTarget(`${markup}\n`);
  const server = await startServer(`global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: '<b>job</b>'
    static_configs: [{targets: ['${good.address}']}]
  - job_name: bad
    static_configs: [{targets: ['${bad.address}'], labels: {x: '${markup}'}}]
`);
  try {
    const { page, watch } = await open(server.url, '/query?g0.expr=evil_metric&g0.range_input=1m');
    page.on('dialog', () => watch.faults.push('a dialog opened'));
    await expect
      .poll(
        async () => {
          await page.getByRole('button', { name: 'Run' }).click();
          return page
            .locator('.result-row')
            .first()
            .innerText({ timeout: 1000 })
            .catch(() => '');
        },
        { timeout: 20_000 },
      )
      .toContain(`name="${markup}"`);
    await page.getByRole('tab', { name: 'Graph' }).click();
    await page.locator('.legend-name').first().waitFor();
    expect(await page.locator('.legend-name').first().innerText()).toContain(markup);
    await page.goto(`${server.url}/targets`);
    await page.getByText('<b>job</b>').first().waitFor();
    await page.getByRole('alert').first().waitFor();
    await page.goto(`${server.url}/`);
    await page.getByText('Containers are not collected here').waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expectHarmless(watch);
    await page.context().close();
  } finally {
    await server.close();
    good.close();
    bad.close();
  }
});

test('the first load is within its budget', () => {
  const folder = fileURLToPath(new URL('../../dist/ui/assets/', import.meta.url));
  const sizeOf = (ending: string): number =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .reduce((sum, name) => sum + gzipSync(readFileSync(folder + name)).length, 0);
  const [script, style] = [sizeOf('.js'), sizeOf('.css')];
  process.stdout.write(`first load: script ${script} B gz (budget 70,000), style ${style} B gz (budget 15,000)\n`);
  expect(script).toBeLessThan(70_000);
  expect(style).toBeLessThan(15_000);
});
