import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseExporterFlags, usage } from '../../exporters/flags.ts';
import { exporterMain, serveExporter } from '../../exporters/http.ts';
import type { ExporterServer } from '../../exporters/http.ts';
import { createExporters, HOST_COLLECTORS } from '../../exporters/main.ts';
import { parseSeries, parseTypes } from '../support/exporter-fixture.ts';

describe('exporter over HTTP', () => {
  let server: ExporterServer;

  beforeAll(async () => {
    server = await serveExporter({ dockerSocket: '' }, '127.0.0.1:0');
  });

  afterAll(() => server.close());

  test('/metrics is the host and the containers, each family once', async () => {
    const answer = await fetch(`${server.address}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const body = await answer.text();
    parseSeries(body);
    const types = parseTypes(body);
    expect(types.get('node_cpu_seconds_total')).toBe('counter');
    expect(types.get('machine_cpu_cores')).toBe('gauge');
    expect(body.endsWith('\n')).toBe(true);
  });

  test('the parts have their own paths', async () => {
    const host = parseTypes(await (await fetch(`${server.address}/metrics/host?x=1`)).text());
    const containers = parseTypes(await (await fetch(`${server.address}/metrics/cadvisor`)).text());
    expect([...host.keys()].every((name) => name.startsWith('node_'))).toBe(true);
    expect([...containers.keys()].some((name) => name.startsWith('node_'))).toBe(false);
    expect(await (await fetch(server.address)).text()).toContain('/metrics/cadvisor');
  });

  test('other paths and methods are refused', async () => {
    expect((await fetch(`${server.address}/secret`)).status).toBe(404);
    expect((await fetch(`${server.address}/metrics`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${server.address}/metrics`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });

  test('a taken port is one clear error', async () => {
    const port = new URL(server.address).port;
    await expect(serveExporter({ dockerSocket: '' }, `127.0.0.1:${port}`)).rejects.toThrow(
      `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    );
  });

  test.each(['', 'localhost', '127.0.0.1:99999', 'a:b:c', '127.0.0.1:'])('"%s" is no address', async (address) => {
    await expect(serveExporter({}, address)).rejects.toThrow('is not host:port');
  });
});

describe('exporter flags', () => {
  test('values with = and as the next word, collectors on and off', () => {
    const args = ['--web.listen-address=:9200', '--path.procfs', '/host/proc', '--no-collector.arp', '--collector.cpu'];
    expect(
      parseExporterFlags([...args, '--docker.socket=unix:///run/d.sock', '--docker.container-labels=a,b']),
    ).toMatchObject({
      type: 'serve',
      listenAddress: ':9200',
      options: {
        procfs: '/host/proc',
        dockerSocket: '/run/d.sock',
        containerLabels: ['a', 'b'],
        collectors: { arp: false, cpu: true },
      },
    });
    expect(parseExporterFlags([])).toMatchObject({ listenAddress: '127.0.0.1:9100' });
  });

  test.each([
    ['--x', "unknown long flag '--x'"],
    ['--collector.nothing', "unknown long flag '--collector.nothing'"],
    ['--collector.cpu=1', "unknown long flag '--collector.cpu'"],
    ['--constructor', "unknown long flag '--constructor'"],
    ['-x', "unknown short flag '-x'"],
    ['word', 'unexpected word'],
    ['--path.procfs', "expected argument for flag '--path.procfs'"],
  ])('%s is refused', (arg, message) => {
    expect(() => parseExporterFlags([arg])).toThrow(message);
  });

  test('help names every collector and flag', async () => {
    for (const name of Object.keys(HOST_COLLECTORS)) expect(usage()).toContain(name);
    expect(parseExporterFlags(['--path.procfs=x', '--help'])).toEqual({ type: 'help' });
    expect(parseExporterFlags(['--version'])).toEqual({ type: 'version' });
  });

  test('a wrong flag ends with 2, an address that cannot be bound with 1', async () => {
    expect(await exporterMain(['--x'])).toBe(2);
    expect(await exporterMain(['--web.listen-address=nonsense'])).toBe(2);
    expect(await exporterMain(['--web.listen-address=203.0.113.1:1'])).toBe(1);
  });

  test('a collector that does not exist cannot be switched', () => {
    expect(() => createExporters({ collectors: { zfs: true } })).toThrow('there is no collector "zfs"');
  });
});
