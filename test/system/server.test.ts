// The real process on real sockets and files: start, queries, reload, signals, kill -9.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { snappyCompress } from '../../util/compress.ts';

const program = fileURLToPath(new URL('../../bin/narthex', import.meta.url));
const folders: string[] = [];
const children: ChildProcess[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-server-'));
  folders.push(folder);
  return folder;
}

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

class Narthex {
  readonly child: ChildProcess;
  readonly exited: Promise<Outcome>;
  stdout = '';
  stderr = '';
  url = '';

  constructor(folder: string, args: readonly string[]) {
    this.child = spawn(program, ['--web.listen-address=127.0.0.1:0', ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => {
      this.child.on('exit', (code, signal) => resolve({ code, signal }));
    });
  }

  /** Waits until it answers queries. */
  async ready(): Promise<this> {
    for (let i = 0; i < 400; i++) {
      this.url ||= /open (http:\/\/\S+)\//.exec(this.stdout)?.[1] ?? '';
      if (this.url !== '' && (await fetch(`${this.url}/-/ready`)).ok) return this;
      if (this.child.exitCode !== null) break;
      await sleep(25);
    }
    throw new Error(`not ready:\n${this.stdout}${this.stderr}`);
  }

  async query(
    query: string,
    extra: Record<string, string> = {},
  ): Promise<{ metric: object; value: [number, string] }[]> {
    const body = new URLSearchParams({ query, ...extra });
    const answer = (await (await fetch(`${this.url}/api/v1/query`, { method: 'POST', body })).json()) as {
      data: { result: { metric: object; value: [number, string] }[] };
    };
    return answer.data.result;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Outcome> {
    this.child.kill(signal);
    return this.exited;
  }
}

function start(folder: string, ...args: string[]): Promise<Narthex> {
  return new Narthex(folder, args).ready();
}

async function waitFor(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await check()) return;
    await sleep(50);
  }
  throw new Error('it did not come to pass');
}

/** A request with one series. */
function writeRequest(metric: string, samples: readonly [number, number][]): Uint8Array<ArrayBuffer> {
  const writer = protobuf.Writer.create().uint32(10).fork();
  writer.uint32(10).fork().uint32(10).string('__name__').uint32(18).string(metric).ldelim();
  for (const [time, value] of samples) writer.uint32(18).fork().uint32(9).double(value).uint32(16).int64(time).ldelim();
  return snappyCompress(writer.ldelim().finish());
}

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const SELF_CONFIG = (url: string): string => `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: self
    static_configs: [{targets: ['${url.replace('http://', '')}']}]
`;

describe('a running server', () => {
  let folder: string;
  let server: Narthex;

  beforeAll(async () => {
    folder = newFolder();
    writeFileSync(join(folder, 'prometheus.yml'), 'scrape_configs: []\n');
    server = await start(folder, '--web.enable-lifecycle', '--web.enable-remote-write-receiver');
    writeFileSync(join(folder, 'prometheus.yml'), SELF_CONFIG(server.url));
  });

  test('says where it is and which configuration is in use', () => {
    expect(server.stdout).toMatch(
      /open http:\/\/127\.0\.0\.1:\d+\/\n {2}configuration: prometheus\.yml\n {2}data: data\/\n/,
    );
  });

  test('reloads by HTTP, and scrapes what the new configuration says', async () => {
    expect((await fetch(`${server.url}/-/reload`, { method: 'POST' })).status).toBe(200);
    await waitFor(async () => (await server.query('up{job="self"} == 1')).length === 1);
    expect((await server.query('prometheus_build_info'))[0]!.metric).toHaveProperty('version');
  });

  test('refuses a broken configuration and keeps the old one', async () => {
    writeFileSync(join(folder, 'prometheus.yml'), 'scrape_configs:\n  - job_name: a\n    nonsense: 1\n');
    const answer = await fetch(`${server.url}/-/reload`, { method: 'POST' });
    expect(answer.status).toBe(500);
    expect(await answer.text()).toMatch(/^failed to reload config: prometheus\.yml:3:5 /);
    const { data } = (await (await fetch(`${server.url}/api/v1/status/config`)).json()) as { data: { yaml: string } };
    expect(data.yaml).toContain('job_name: self');
    await waitFor(async () => (await server.query('prometheus_config_last_reload_successful == 0')).length === 1);
    writeFileSync(join(folder, 'prometheus.yml'), SELF_CONFIG(server.url));
    server.child.kill('SIGHUP');
    await waitFor(async () => (await server.query('prometheus_config_last_reload_successful == 1')).length === 1);
  });

  test('answers bad PromQL with 400 and where it is bad', async () => {
    const answer = await fetch(`${server.url}/api/v1/query?query=${encodeURIComponent('sum(rate(x[5m])')}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      status: 'error',
      errorType: 'bad_data',
      error: 'invalid parameter "query": 1:16: parse error: unclosed left parenthesis',
    });
  });

  test('packs answers for those who take them packed', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    const answer = await fetch(`${server.url}/api/v1/label/__name__/values`, { headers });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(((await answer.json()) as { data: string[] }).data).toContain('up');
  });

  test('stops a query whose client is gone', async () => {
    const now = Date.now();
    const samples = Array.from({ length: 3000 }, (_, i): [number, number] => [now - (3000 - i) * 1000, i]);
    const body = writeRequest('long_history', samples);
    expect((await fetch(`${server.url}/api/v1/write`, { method: 'POST', body })).status).toBe(204);
    const canceled = async (): Promise<number> =>
      Number(
        /query_cancelled_total\{reason="client"\} (\d+)/.exec(
          await (await fetch(`${server.url}/metrics`)).text(),
        )?.[1] ?? 0,
      );
    const before = await canceled();
    const gone = new AbortController();
    const heavy = 'sum_over_time(long_history[50m:1ms])';
    const query = fetch(`${server.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: heavy, timeout: '60s' }),
      signal: gone.signal,
    });
    await sleep(150);
    gone.abort();
    await expect(query).rejects.toThrow();
    await waitFor(async () => (await canceled()) === before + 1);
    const started = performance.now();
    await server.query('count(up)');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('ends a query at its timeout', async () => {
    const started = performance.now();
    const answer = await fetch(`${server.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: 'count_over_time(long_history[49m:1ms])', timeout: '200ms' }),
    });
    expect(performance.now() - started).toBeLessThan(3000);
    expect([200, 503]).toContain(answer.status);
    if (answer.status === 503) {
      expect(await answer.json()).toMatchObject({ errorType: 'timeout', error: expect.stringContaining('timed out') });
    }
  });

  test('does not answer pages of other sites, nor other host names', async () => {
    const headers = { origin: 'http://evil.example' };
    expect((await fetch(`${server.url}/-/reload`, { method: 'POST', headers })).status).toBe(403);
    const raw = await rawRequest(
      server.url,
      'GET /api/v1/query?query=1 HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(raw).toMatch(/^HTTP\/1\.1 421 /);
  });

  test.each([
    'POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    'POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef',
    'GET /api/v1/query HTTP/1.1\r\nHost: localhost\r\nA: b\r\n folded\r\nContent-Length: x\r\n\r\n',
  ])('closes on a request that could be read in two ways: %j', async (request) => {
    expect(await rawRequest(server.url, request)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('limits bodies before it reads them', async () => {
    const body = new Uint8Array(11 * 1024 * 1024);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(`${server.url}/api/v1/query`, { method: 'POST', body, headers });
    expect(answer.status).toBe(413);
  });

  test('ends with 0 on SIGTERM', async () => {
    const started = performance.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(server.stderr).toContain('msg=stopped');
  });
});

/** Sends bytes and returns all that comes back until the other side closes. */
function rawRequest(url: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end to: ${answer}`)));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('data', () => {
  test('outlives kill -9', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'prometheus.yml'), 'scrape_configs: []\n');
    const first = await start(folder, '--web.enable-remote-write-receiver');
    const now = Date.now();
    const samples = Array.from({ length: 500 }, (_, i): [number, number] => [now - (500 - i) * 1000, i * 1.5]);
    const body = writeRequest('kept', samples);
    expect((await fetch(`${first.url}/api/v1/write`, { method: 'POST', body })).status).toBe(204);
    await first.stop('SIGKILL');
    const second = await start(folder);
    const time = String(now / 1000);
    expect((await second.query('count_over_time(kept[1h])', { time }))[0]?.value[1]).toBe('500');
    expect((await second.query('sum_over_time(kept[1h])', { time }))[0]?.value[1]).toBe(String((1.5 * 500 * 499) / 2));
    expect((await second.stop()).code).toBe(0);
  });

  test('is for one process', async () => {
    const folder = newFolder();
    const first = await start(folder, '--no-exporter.enabled');
    const second = new Narthex(folder, []);
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toMatch(
      /narthex: error: the data directory is in use: process \d+ holds the lock data\/lock\n/,
    );
    await first.stop();
  });
});

describe('what cannot start ends with one clear line', () => {
  let taken: Server | undefined;

  afterEach(() => void taken?.close());

  async function failing(folder: string, ...args: string[]): Promise<Outcome & { stderr: string; seconds: number }> {
    const started = performance.now();
    const server = new Narthex(folder, args);
    const outcome = await server.exited;
    return { ...outcome, stderr: server.stderr, seconds: (performance.now() - started) / 1000 };
  }

  test('a wrong flag: 2', async () => {
    const { code, stderr } = await failing(newFolder(), '--no.such.flag');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^Error parsing command line arguments: unknown long flag '--no\.such\.flag'\nusage: narthex /,
    );
  });

  test('a broken configuration: 2, with file, line and column, and no data folder', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'bad.yml'), 'global:\n  scrape_interval: soon\n');
    const { code, stderr } = await failing(folder, '--config.file=bad.yml');
    expect(code).toBe(2);
    expect(stderr).toMatch(/Error loading config \(--config\.file=bad\.yml\): bad\.yml:2:20 /);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  test('a configuration that is not there: 2', async () => {
    const { code, stderr } = await failing(newFolder(), '--config.file=none.yml');
    expect(code).toBe(2);
    expect(stderr).toContain('open none.yml: no such file or directory');
  });

  test('a taken port: 1', async () => {
    const blocker = createServer();
    taken = blocker;
    await new Promise<void>((resolve) => void blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const folder = newFolder();
    const child = spawn(program, [`--web.listen-address=127.0.0.1:${port}`], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise((resolve) => void child.on('exit', resolve));
    expect(code).toBe(1);
    expect(stderr).toContain(`narthex: error: cannot listen on 127.0.0.1:${port}: the address is in use`);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  test('a data folder that cannot be made: 1', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'file'), '');
    const { code, stderr } = await failing(folder, '--storage.tsdb.path=file/data');
    expect(code).toBe(1);
    expect(stderr).toContain('narthex: error: cannot use the data directory file/data: ');
  });

  test('flags of an agent: 3', async () => {
    const { code, stderr } = await failing(newFolder(), '--storage.agent.path=x');
    expect(code).toBe(3);
    expect(stderr).toContain('The following flag(s) can not be used in server mode: ["--storage.agent.path"]');
  });
});

describe('signals', () => {
  test('a second one ends at once', async () => {
    const server = await start(newFolder(), '--web.shutdown-grace=30s', '--web.enable-remote-write-receiver');
    const now = Date.now();
    const samples = Array.from({ length: 3000 }, (_, i): [number, number] => [now - (3000 - i) * 1000, i]);
    await fetch(`${server.url}/api/v1/write`, { method: 'POST', body: writeRequest('m', samples) });
    const query = server.query('sum_over_time(m[50m:1ms])').catch(() => undefined);
    await sleep(200);
    server.child.kill('SIGTERM');
    await sleep(100);
    const { code } = await server.stop('SIGINT');
    expect(code === 1 || code === 0).toBe(true);
    await query;
  });
});
