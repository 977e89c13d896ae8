import { describe, expect, test } from 'vitest';
import { ScrapeManager } from '../../scraper/manager.ts';
import { loadConfig } from '../../server/config/load.ts';
import { ExpositionWriter, MetricRegistry } from '../../util/metrics.ts';
import { FakeAppender, FakeFetcher, fakeHost, type Row } from './support.ts';

const T = { instance: 'h:1', job: 'j' };
const JOB = `
scrape_configs:
  - job_name: j
    scrape_interval: 10s
    static_configs: [{targets: ['h:1']}]
`;

function setUp(yaml = JOB, answer: FakeFetcher['answer'] = () => 'a 1\n') {
  const host = fakeHost();
  const appender = new FakeAppender();
  const fetcher = new FakeFetcher(answer);
  const metrics = new MetricRegistry();
  const options = { userAgent: 'Narthex/test', hostName: 'vm' };
  const manager = new ScrapeManager({ appender, host, fetcher, metrics, options });
  const apply = (text: string) => manager.apply(loadConfig(text, 'test.yml'));
  apply(yaml);
  return { host, clock: host.clock, appender, fetcher, metrics, manager, apply };
}

function values(rows: readonly Row[] | undefined): Record<string, number | 'stale'> {
  return Object.fromEntries((rows ?? []).map(([series, , value]) => [series.replace(/\{.*/, ''), value]));
}

describe('a scrape', () => {
  test('is one commit with the synthetic series, at one time', async () => {
    const { clock, appender, manager } = setUp(JOB, () => 'a 1\na 2\nb 3\n');
    await clock.advance(10_000);
    expect(appender.commits).toHaveLength(1);
    const rows = appender.commits[0]!;
    expect(values(rows)).toEqual({
      a: 1,
      b: 3,
      up: 1,
      scrape_duration_seconds: 0,
      scrape_samples_scraped: 3,
      scrape_samples_post_metric_relabeling: 3,
      scrape_series_added: 2,
    });
    expect(new Set(rows.map(([, timeMs]) => timeMs)).size).toBe(1);
    expect(rows.find(([series]) => series.startsWith('up'))?.[0]).toBe('up{instance="h:1",job="j"}');
    expect(manager.activeTargets()).toEqual([
      {
        discoveredLabels: {
          __address__: 'h:1',
          __metrics_path__: '/metrics',
          __scheme__: 'http',
          __scrape_interval__: '10s',
          __scrape_timeout__: '10s',
          job: 'j',
        },
        labels: T,
        scrapePool: 'j',
        scrapeUrl: 'http://h:1/metrics',
        globalUrl: 'http://h:1/metrics',
        lastError: '',
        lastScrape: new Date(rows[0]![1]).toISOString(),
        lastScrapeDuration: 0,
        health: 'up',
        scrapeInterval: '10s',
        scrapeTimeout: '10s',
      },
    ]);
  });

  test('asks as Prometheus does, for what can be read', async () => {
    const { clock, fetcher } = setUp();
    await clock.advance(10_000);
    expect(fetcher.connected[0]?.headers).toEqual([
      ['User-Agent', 'Narthex/test'],
      ['Accept', 'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4'],
      ['Accept-Encoding', 'gzip'],
      ['X-Prometheus-Scrape-Timeout-Seconds', '10'],
    ]);
  });

  test.each(['127.0.0.1:1', 'localhost:1', '[::1]:1'])('asks %s for a plain body', async (address) => {
    const { clock, fetcher } = setUp(JOB.replace('h:1', address));
    await clock.advance(10_000);
    expect(fetcher.connected[0]?.headers[2]).toEqual(['Accept-Encoding', 'identity']);
  });

  test('that fails says why, is down, marks its series; others go on', async () => {
    const yaml = JOB.replace("'h:1'", "'h:1', 'h:2'");
    let isBroken = false;
    const { clock, appender, manager } = setUp(yaml, (url) =>
      isBroken && url.includes('h:1') ? 'a 1\nb x\n' : 'a 1\n',
    );
    await clock.advance(10_000);
    isBroken = true;
    appender.commits.length = 0;
    await clock.advance(10_000);
    const [broken, fine] = ['h:1', 'h:2'].map((address) =>
      appender.commits.find((rows) => rows[0]?.[0].includes(address)),
    );
    expect(values(broken)).toMatchObject({ a: 'stale', up: 0, scrape_samples_scraped: 1 });
    expect(values(fine)).toMatchObject({ a: 1, up: 1 });
    const target = manager.activeTargets().find(({ labels }) => labels['instance'] === 'h:1');
    expect(target).toMatchObject({
      health: 'down',
      lastError: 'strconv.ParseFloat: parsing "x": invalid syntax while parsing: "b x" (line 2: "b x")',
    });
  });

  test.each([
    ['', 'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target'],
    ['text/html', 'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target'],
    ['?', 'cannot parse Content-Type "?" and no fallback_scrape_protocol for target'],
  ])('with the content type "%s" fails, but with a fallback', async (contentType, message) => {
    const { clock, manager, apply } = setUp(JOB, () => ({ body: 'a 1\n', contentType }));
    await clock.advance(10_000);
    expect(manager.activeTargets()[0]?.lastError).toBe(message);
    apply(JOB.replace('scrape_interval', 'fallback_scrape_protocol: PrometheusText0.0.4\n    scrape_interval'));
    await clock.advance(10_000);
    expect(manager.activeTargets()[0]?.health).toBe('up');
  });

  test('of a job over its target limit is refused', async () => {
    const { clock, manager, fetcher } = setUp(`${JOB}    target_limit: 1\n`.replace("'h:1'", "'h:1', 'h:2'"));
    await clock.advance(10_000);
    const errors = manager.activeTargets().map(({ lastError }) => lastError);
    expect(errors).toEqual(Array(2).fill('target_limit exceeded (number of targets: 2, limit: 1)'));
    expect(fetcher.requests).toEqual([]);
  });
});

describe('timing', () => {
  test('is the same after a restart, at multiples of the interval', async () => {
    const times: number[] = [];
    for (const waitMs of [0, 3333]) {
      const { clock, appender } = setUp();
      await clock.advance(waitMs);
      await clock.advance(30_000);
      times.push(...appender.commits.map((rows) => rows[0]![1] % 10_000));
    }
    expect(times.length).toBeGreaterThan(5);
    expect(new Set(times).size).toBe(1);
  });

  test('keeps its cadence when the wall clock jumps', async () => {
    const { clock, appender } = setUp();
    await clock.advance(20_000);
    clock.jump(-3_600_000);
    await clock.advance(20_000);
    clock.jump(7_200_000);
    await clock.advance(20_000);
    const times = appender.commits.map((rows) => rows[0]![1]);
    const steps = times.slice(1).map((time, i) => time - times[i]!);
    expect(steps).toEqual([10_000, 10_000 - 3_600_000, 10_000, 7_210_000, 10_000]);
  });
});

describe('a new configuration', () => {
  test('leaves unchanged targets alone', async () => {
    const { clock, appender, apply } = setUp();
    await clock.advance(15_000);
    apply(`global: {evaluation_interval: 30s}\n${JOB}`);
    apply(`${JOB}    sample_limit: 100\n`);
    await clock.advance(40_000);
    const times = appender.commits.map((rows) => rows[0]![1]);
    expect(times.slice(1).every((time, i) => time - times[i]! === 10_000)).toBe(true);
    expect(appender.commits.flat().some(([, , value]) => value === 'stale')).toBe(false);
  });

  test('without a target marks its series at the first missed scrape, after two intervals', async () => {
    const { clock, appender, apply, manager } = setUp();
    await clock.advance(15_000);
    const last = appender.commits.at(-1)![0]![1];
    const count = appender.commits.length;
    apply('{}');
    expect(manager.activeTargets()).toEqual([]);
    await clock.advance(14_000);
    expect(appender.commits).toHaveLength(count);
    await clock.advance(10_000);
    expect(appender.commits).toHaveLength(count + 1);
    const rows = appender.commits.at(-1)!;
    expect(rows).toHaveLength(6);
    expect(rows.every(([, timeMs, value]) => timeMs === last + 10_000 && value === 'stale')).toBe(true);
  });

  test('that removes a target in the middle of a scrape marks it after that scrape', async () => {
    const { clock, appender, apply, fetcher, host } = setUp();
    await clock.advance(15_000);
    let answer = () => {};
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const [first] = fetcher.clients;
    first!.before = slow;
    await clock.advance(10_000);
    apply('{}');
    answer();
    await clock.advance(0);
    const last = appender.commits.at(-1)!;
    expect(values(last)).toMatchObject({ up: 1 });
    await clock.advance(25_000);
    const rows = appender.commits.at(-1)!;
    expect(rows.every(([, timeMs, value]) => timeMs === last[0]![1] + 10_000 && value === 'stale')).toBe(true);
    expect(host.logged).toEqual([]);
  });

  test('with other labels marks the old series and starts new ones', async () => {
    const { clock, appender, apply } = setUp();
    await clock.advance(10_000);
    const rule = `    metric_relabel_configs: [{target_label: x, replacement: y}]\n`;
    apply(JOB + rule);
    await clock.advance(10_000);
    const rows = appender.commits.at(-1)!.map(([series, , value]) => [series, value]);
    expect(rows).toContainEqual(['a{instance="h:1",job="j",x="y"}', 1]);
    expect(rows).toContainEqual(['a{instance="h:1",job="j"}', 'stale']);
  });

  test('can change the interval', async () => {
    const { clock, fetcher, apply } = setUp();
    apply(JOB.replace('10s', '1s'));
    await clock.advance(10_000);
    expect(fetcher.requests.length).toBeGreaterThanOrEqual(9);
  });
});

test('relabelling builds the address, and drops', async () => {
  const { clock, fetcher, manager } = setUp(`
scrape_configs:
  - job_name: probe
    scrape_interval: 1s
    metrics_path: /probe
    params: {module: [http], target: [x]}
    static_configs: [{targets: ['http.example', 'drop.example']}]
    relabel_configs:
      - {source_labels: [__address__], regex: 'drop.*', action: drop}
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: '127.0.0.1:9115'}
`);
  await clock.advance(1000);
  expect(fetcher.requests).toEqual(['http://127.0.0.1:9115/probe?module=http&target=http.example']);
  expect(manager.activeTargets()[0]?.labels).toEqual({ instance: 'http.example', job: 'probe' });
  expect(manager.droppedTargets()[0]?.discoveredLabels['__address__']).toBe('drop.example');
  expect(manager.droppedTargetCounts()).toEqual({ probe: 1 });
});

test('stopping writes no markers', async () => {
  const { clock, appender, manager } = setUp();
  await clock.advance(15_000);
  const count = appender.commits.length;
  await manager.stop();
  await clock.advance(60_000);
  expect(appender.commits).toHaveLength(count);
});

test('its own metrics count what was refused', async () => {
  const { clock, metrics } = setUp(JOB, () => 'a 1\na 2\n');
  await clock.advance(10_000);
  const out = new ExpositionWriter();
  metrics.write(out);
  expect(out.toString()).toContain('prometheus_target_scrapes_sample_duplicate_timestamp_total 1\n');
  expect(out.toString()).toContain('prometheus_target_scrape_pool_targets{scrape_job="j"} 1\n');
});
