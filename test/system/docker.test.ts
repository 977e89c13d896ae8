import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExporters } from '../../exporters/main.ts';
import type { Exporters } from '../../exporters/main.ts';
import { parseSeries, parseTypes } from '../support/exporter-fixture.ts';

interface DockerLine {
  readonly name: string;
  readonly id: string;
  readonly image: string;
  readonly state: string;
}

/** The testbed's containers as the docker command shows them; none where no engine runs. */
function testbedContainers(): DockerLine[] {
  try {
    const format = '{{.Names}}\t{{.ID}}\t{{.Image}}\t{{.State}}';
    const args = ['ps', '--all', '--no-trunc', '--filter', 'label=testbed=1', '--format', format];
    const text = execFileSync('docker', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
    return text
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([name = '', id = '', image = '', state = '']) => ({ name, id, image, state }));
  } catch {
    return [];
  }
}

const listed = testbedContainers();
/** Not the one that crashes in a loop: it may run at the one moment and not at the other. */
const running = listed.filter(({ name, state }) => name !== 'tb-crash' && (state === 'running' || state === 'paused'));
const hasTestbed = running.some(({ name }) => name === 'tb-cpu');

describe.skipIf(!hasTestbed)('containers of a real engine (skipped where the testbed does not run)', () => {
  let exporters: Exporters;
  let first: Map<string, number>;
  let second: Map<string, number>;
  let body: string;
  let seconds: number;

  beforeAll(async () => {
    exporters = createExporters();
    // The first look learns where everything is; the interval is measured between two like ones.
    await exporters.containers();
    first = parseSeries(await exporters.containers());
    const start = performance.now();
    await sleep(5000);
    body = await exporters.containers();
    seconds = (performance.now() - start) / 1000;
    second = parseSeries(body);
  });

  afterAll(() => exporters.close());

  /** Sum of the series of a metric that carry all these labels. */
  function sum(series: ReadonlyMap<string, number>, metric: string, ...labels: string[]): number | undefined {
    const matching = [...series].filter(
      ([key]) => key.startsWith(`${metric}{`) && labels.every((label) => key.includes(label)),
    );
    return matching.length === 0 ? undefined : matching.reduce((total, [, value]) => total + value, 0);
  }

  test('each running container is there by name, image and id, once', () => {
    parseTypes(body);
    const seen = [...second.keys()].filter(
      (key) => key.startsWith('container_last_seen{') && /name="tb-(?!crash)/.test(key),
    );
    expect(seen.length).toBe(running.length);
    for (const { name, id, image } of running) {
      const own = seen.filter((key) => key.includes(`name="${name}"`));
      expect(own, name).toHaveLength(1);
      expect(own[0]).toContain(id);
      expect(own[0]).toContain(`image="${image}"`);
    }
    expect(second.get('docker_up{}')).toBe(1);
    expect(second.get('docker_containers{state="paused"}')).toBe(
      listed.filter(({ state }) => state === 'paused').length,
    );
  });

  test('containers that do not run leave nothing', () => {
    for (const { name } of listed.filter(({ state }) => state === 'exited' || state === 'created')) {
      expect([...second.keys()].filter((key) => key.includes(`name="${name}"`))).toEqual([]);
    }
  });

  test('tb-cpu uses its limit of 0.2 cores and is throttled', () => {
    const cpu = (series: ReadonlyMap<string, number>): number =>
      sum(series, 'container_cpu_usage_seconds_total', 'name="tb-cpu"')!;
    const cores = (cpu(second) - cpu(first)) / seconds;
    expect(cores).toBeGreaterThan(0.12);
    expect(cores).toBeLessThan(0.28);
    const quota = sum(second, 'container_spec_cpu_quota', 'name="tb-cpu"')!;
    expect(quota / sum(second, 'container_spec_cpu_period', 'name="tb-cpu"')!).toBe(0.2);
    const throttled = 'container_cpu_cfs_throttled_periods_total';
    expect(sum(second, throttled, 'name="tb-cpu"')!).toBeGreaterThan(sum(first, throttled, 'name="tb-cpu"')!);
  });

  test('limits, health and open files', () => {
    expect(sum(second, 'container_spec_memory_limit_bytes', 'name="tb-mem"')).toBe(64 * 1024 * 1024);
    expect(sum(second, 'container_memory_working_set_bytes', 'name="tb-mem"')!).toBeGreaterThan(16 * 1024 * 1024);
    expect(sum(second, 'container_spec_cpu_quota', 'name="tb-limits"')).toBe(50_000);
    expect(sum(second, 'container_threads_max', 'name="tb-limits"')).toBe(64);
    expect(sum(second, 'container_health_state', 'name="tb-healthy"')).toBe(1);
    expect(sum(second, 'container_health_state', 'name="tb-unhealthy"')).toBe(0);
    expect(sum(second, 'container_health_state', 'name="tb-idle"')).toBe(-1);
    expect(sum(second, 'container_file_descriptors', 'name="tb-idle"')!).toBeGreaterThan(0);
  });

  test('network: traffic of tb-web, none for host and shared namespaces', () => {
    const received = 'container_network_receive_bytes_total';
    expect(sum(second, received, 'name="tb-web"')!).toBeGreaterThan(sum(first, received, 'name="tb-web"')!);
    expect(sum(second, received, 'name="tb-host"')).toBeUndefined();
    expect(sum(second, received, 'name="tb-shared"')).toBeUndefined();
    // Two networks, two interfaces.
    expect(
      [...second.keys()].filter((key) => key.startsWith(`${received}{`) && key.includes('name="tb-multi"')),
    ).toHaveLength(2);
    const listening = 'container_network_tcp6_usage_total';
    expect(sum(second, listening, 'name="tb-web"', 'tcp_state="listen"')!).toBeGreaterThan(0);
  });

  test('without the socket the same containers have ids and short names', async () => {
    const alone = createExporters({ dockerSocket: '' });
    const series = parseSeries(await alone.containers());
    alone.close();
    for (const { id } of running) {
      expect(sum(series, 'container_cpu_usage_seconds_total', id, `name="${id.slice(0, 12)}"`)).toBeGreaterThanOrEqual(
        0,
      );
    }
    expect(series.has('docker_up{}')).toBe(false);
  });
});
