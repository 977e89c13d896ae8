// Requests that Prometheus 3.5.3 answered (../shared/conformance/http-api), put to the real server. The samples they are
// about are loaded by remote write: the data set is older than any head would take otherwise. expected-failures.json
// lists by reason what does not pass yet; it may only shrink.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { snappyCompress } from '../../../util/compress.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, '../shared/conformance');
const hasConformance = existsSync(folder);

interface Case {
  readonly method: string;
  readonly path: string;
  readonly params: string;
  readonly volatile: boolean;
  readonly response: {
    readonly status: number;
    readonly content_type: string | null;
    readonly json?: unknown;
    readonly text?: string;
    readonly allow?: string;
    readonly location?: string;
  };
}

const cases: readonly Case[] = hasConformance
  ? (JSON.parse(readFileSync(join(folder, 'http-api/cases.json'), 'utf8')) as { cases: Case[] }).cases
  : [];
const failures = JSON.parse(readFileSync(new URL('expected-failures.json', import.meta.url), 'utf8')) as readonly {
  readonly reason: string;
  readonly cases: readonly string[];
}[];
const expectedToFail = new Map(failures.flatMap(({ reason, cases: names }) => names.map((name) => [name, reason])));

const nameOf = ({ method, path, params }: Case): string => `${method} ${path}?${decodeURIComponent(params)}`;

/** The data set as lines `{labels} value time` of `promtool tsdb dump`, grouped by time. */
function readDump(): Map<number, [string, string][][]> {
  const byTime = new Map<number, [string, string][][]>();
  const text = readFileSync(join(folder, 'tsdb/blocks.dump.txt'), 'utf8');
  for (const line of text.split('\n')) {
    const match = /^\{(.*)\} (\S+) (\d+)$/.exec(line);
    if (!match) continue;
    const labels = [...match[1]!.matchAll(/("?)([^=",\s]+)\1="((?:[^"\\]|\\.)*)"/g)].map((pair): [string, string] => [
      pair[2]!,
      JSON.parse(`"${pair[3]!}"`) as string,
    ]);
    labels.push(['\0value', match[2]!]);
    const time = Number(match[3]);
    const rows = byTime.get(time);
    if (rows) rows.push(labels);
    else byTime.set(time, [labels]);
  }
  return byTime;
}

function writeRequest(
  times: readonly number[],
  data: ReadonlyMap<number, [string, string][][]>,
): Uint8Array<ArrayBuffer> {
  const writer = protobuf.Writer.create();
  for (const time of times) {
    for (const labels of data.get(time)!) {
      writer.uint32(10).fork();
      let value = 0;
      for (const [name, text] of labels) {
        if (name === '\0value') value = Number(text.replace('Inf', 'Infinity'));
        else writer.uint32(10).fork().uint32(10).string(name).uint32(18).string(text).ldelim();
      }
      writer.uint32(18).fork().uint32(9).double(value).uint32(16).int64(time).ldelim().ldelim();
    }
  }
  return snappyCompress(writer.finish());
}

/** Everything but the shape: numbers, times and texts that differ from run to run. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

/** Vectors that no function has sorted come in any order. */
function normalised(value: unknown, sorted: boolean): unknown {
  const data = (value as { data?: { resultType?: string; result?: unknown[] } } | undefined)?.data;
  if (!sorted && data?.resultType === 'vector' && data.result) {
    const key = (row: unknown): string => JSON.stringify((row as { metric: unknown }).metric);
    return {
      ...(value as object),
      data: { ...data, result: data.result.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) },
    };
  }
  return value;
}

describe.skipIf(!hasConformance)('HTTP API as Prometheus answers it (skipped where ../shared is absent)', () => {
  const work = mkdtempSync(join(tmpdir(), 'narthex-api-'));
  let child: ChildProcess;
  let target: Server;
  let url = '';
  let log = '';
  const wrong: string[] = [];
  const passed: string[] = [];

  beforeAll(async () => {
    const exposition = readFileSync(join(folder, 'http-api/exposition.om'), 'utf8');
    target = createServer((_request, answer) => {
      answer.setHeader('content-type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
      answer.end(exposition);
    });
    await new Promise<void>((resolve) => void target.listen(0, '127.0.0.1', resolve));
    const { port } = target.address() as AddressInfo;
    const config = readFileSync(join(folder, 'http-api/prometheus.yml'), 'utf8');
    // Scraping waits until the old samples are in: they would be out of bounds after it.
    writeFileSync(join(work, 'prometheus.yml'), 'scrape_configs: []\n');
    child = spawn(
      join(root, 'bin/narthex'),
      [
        '--web.listen-address=127.0.0.1:0',
        '--web.enable-lifecycle',
        '--web.enable-admin-api',
        '--web.enable-remote-write-receiver',
        '--no-exporter.enabled',
      ],
      { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    for (let i = 0; i < 400; i++) {
      url = /open (http:\/\/\S+)\//.exec(said)?.[1] ?? '';
      if (url !== '' && (await fetch(`${url}/-/ready`)).ok) break;
      await sleep(25);
    }
    const data = readDump();
    const times = [...data.keys()].sort((a, b) => a - b);
    for (let i = 0; i < times.length; i += 20) {
      const body = writeRequest(times.slice(i, i + 20), data);
      const answer = await fetch(`${url}/api/v1/write`, { method: 'POST', body });
      if (answer.status !== 204) throw new Error(await answer.text());
    }
    writeFileSync(
      join(work, 'prometheus.yml'),
      config
        .replace('rule_files: [rules.yml]\n', '')
        .replace(/remote_write:[\s\S]*/, '')
        .replaceAll('19294', String(port)),
    );
    const isAboutData = ({ path }: Case): boolean =>
      /^\/api\/v1\/(?:query|query_range|series|labels|label\/.*)$/.test(path);
    for (const one of cases.filter(isAboutData)) await record(one);
    await fetch(`${url}/-/reload`, { method: 'POST' });
    await sleep(2500);
    for (const one of cases.filter((other) => !isAboutData(other))) await record(one);
  });

  async function record(one: Case): Promise<void> {
    const problem = await tryCase(one).catch((error: unknown) => String(error));
    if (problem === undefined) passed.push(nameOf(one));
    else wrong.push(`${nameOf(one)}\n    ${problem}`);
  }

  afterAll(() => {
    child.kill('SIGKILL');
    target.close();
    rmSync(work, { recursive: true, force: true });
  });

  async function tryCase(one: Case): Promise<string | undefined> {
    const isPost = one.method === 'POST' || one.method === 'PUT';
    const address = url + one.path + (one.params !== '' && !isPost ? `?${one.params}` : '');
    const init: RequestInit = { method: one.method, redirect: 'manual' };
    if (isPost) {
      init.body = one.params;
      init.headers = { 'content-type': 'application/x-www-form-urlencoded' };
    }
    const answer = await fetch(address, init);
    const text = await answer.text();
    const { status, json, text: wantedText, allow, location } = one.response;
    if (answer.status !== status) return `status ${answer.status} instead of ${status}: ${text.slice(0, 200)}`;
    const type = answer.headers.get('content-type');
    if (one.response.content_type !== null && type !== one.response.content_type) return `type ${type}`;
    if (allow !== undefined && answer.headers.get('allow') !== allow) return `allow ${answer.headers.get('allow')}`;
    if (location !== undefined && answer.headers.get('location') !== location) return 'location';
    if (json === undefined)
      return one.volatile || text === (wantedText ?? '') ? undefined : `text ${text.slice(0, 200)}`;
    const found: unknown = JSON.parse(text);
    try {
      // 3.14 has more fields there than the 3.5.3 that answered.
      if (one.path === '/api/v1/parse_query' && status === 200) expect(found).toMatchObject(json as object);
      else if (one.volatile) {
        expect(shapeOf(found)).toMatchObject(shapeOf(json) as object);
      } else {
        const isSorted = /sort|topk|bottomk/.test(one.params);
        expect(normalised(found, isSorted)).toEqual(normalised(json, isSorted));
      }
      return undefined;
    } catch {
      return `${text.slice(0, 600)}\n    instead of ${JSON.stringify(json).slice(0, 600)}`;
    }
  }

  test('answers are equal but for those expected to differ', () => {
    const unexpected = wrong.filter((text) => !expectedToFail.has(text.split('\n')[0]!));
    expect(unexpected, log).toEqual([]);
    expect(passed.length + wrong.length).toBe(cases.length);
  });

  test('the list of expected failures only holds what fails', () => {
    expect(passed.filter((name) => expectedToFail.has(name))).toEqual([]);
    const names = new Set(cases.map(nameOf));
    expect([...expectedToFail.keys()].filter((name) => !names.has(name))).toEqual([]);
  });
});
