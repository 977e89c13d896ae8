import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_CONTAINER_LABELS, DockerContainers } from '../../../exporters/docker/containers.ts';
import { DockerEngine } from '../../../exporters/docker/engine.ts';
import { serveContainers, startEngine } from '../../support/fake-engine.ts';
import type { FakeEngine } from '../../support/fake-engine.ts';

const WEB = 'aa'.repeat(32);
const GONE = 'bb'.repeat(32);
const OTHER = 'cc'.repeat(32);

interface Options {
  readonly status?: string;
  readonly health?: string;
  readonly labels?: Record<string, string>;
  readonly pid?: number;
}

function inspectAnswer(id: string, name: string, options: Options = {}): Record<string, unknown> {
  const { status = 'running', health, labels = {}, pid = 42 } = options;
  return {
    Id: id,
    Name: `/${name}`,
    Config: { Image: 'nginx:1', Labels: labels, Env: ['PASSWORD=secret'] },
    State: {
      Status: status,
      Pid: pid,
      StartedAt: '2026-11-21T11:40:58.71367965Z',
      ...(health === undefined ? {} : { Health: { Status: health } }),
    },
    HostConfig: { NetworkMode: 'bridge' },
  };
}

describe('docker containers', () => {
  const answers = new Map<string, Record<string, unknown>>();
  let server: FakeEngine;
  let engine: DockerEngine;
  let containers: DockerContainers;

  beforeEach(async () => {
    answers.clear();
    server = await startEngine(serveContainers(answers));
    engine = new DockerEngine(server.socketPath, 500);
    containers = new DockerContainers(engine, DEFAULT_CONTAINER_LABELS);
  });

  afterEach(async () => {
    engine.close();
    await server.close();
  });

  const inspects = (): number => server.requests.filter((request) => /containers\/[0-9a-f]{64}/.test(request)).length;
  const lists = (): number => server.requests.filter((request) => request.includes('containers/json')).length;

  test('name, image and allowed labels; nothing of the environment', async () => {
    const labels = { 'com.docker.compose.service': 'we"b', secret: 'x', 'com.docker.compose.project': 'shop' };
    answers.set(WEB, inspectAnswer(WEB, 'web', { labels, health: 'starting' }));
    await containers.prepare([WEB]);
    expect(containers.get(WEB)).toEqual({
      id: WEB,
      name: 'web',
      image: 'nginx:1',
      state: 'running',
      health: 'starting',
      labels:
        'name="web",image="nginx:1",container_label_com_docker_compose_project="shop",' +
        'container_label_com_docker_compose_service="we\\"b"',
      pid: 42,
      startedSeconds: 1795261258.713,
      networkMode: 'bridge',
    });
    expect(containers.isUp).toBe(true);
  });

  test('all labels where that is asked for, the first of two that become one', async () => {
    containers = new DockerContainers(engine, ['*']);
    answers.set(WEB, inspectAnswer(WEB, 'web', { labels: { 'a.b': '1', a_b: '2', ü: '3' } }));
    await containers.prepare([WEB]);
    expect(containers.get(WEB)?.labels).toBe(
      'name="web",image="nginx:1",container_label_a_b="1",container_label__="3"',
    );
  });

  test('a container is inspected once, until it was started anew', async () => {
    answers.set(WEB, inspectAnswer(WEB, 'web'));
    await containers.prepare([WEB]);
    await containers.refresh();
    await containers.refresh();
    expect(inspects()).toBe(1);
    answers.set(WEB, inspectAnswer(WEB, 'web', { pid: 43, health: 'healthy' }));
    await containers.refresh();
    expect(containers.get(WEB)).toMatchObject({ pid: 42, health: 'healthy' });
    containers.forget(WEB);
    await containers.prepare([WEB]);
    expect(containers.get(WEB)?.pid).toBe(43);
  });

  test('a container that stopped has no process and one that was removed is gone', async () => {
    answers.set(WEB, inspectAnswer(WEB, 'web'));
    answers.set(GONE, inspectAnswer(GONE, 'gone', { status: 'exited', pid: 0 }));
    await containers.prepare([WEB, GONE]);
    expect([...containers.all()].map(({ name, state, pid }) => `${name} ${state} ${pid}`).sort()).toEqual([
      'gone exited 0',
      'web running 42',
    ]);
    answers.delete(GONE);
    await containers.refresh();
    expect(containers.get(GONE)).toBeUndefined();
  });

  test("another runtime's container is asked for once", async () => {
    answers.set(WEB, inspectAnswer(WEB, 'web'));
    for (let i = 0; i < 5; i++) await containers.prepare([WEB, OTHER]);
    expect(lists()).toBe(1);
  });

  test('without an engine nothing waits and nothing rejects; one that comes back is used', async () => {
    await server.close();
    const start = performance.now();
    for (let i = 0; i < 20; i++) await containers.prepare([WEB]);
    expect(performance.now() - start).toBeLessThan(400);
    expect(containers.isUp).toBe(false);
    expect(containers.get(WEB)).toBeUndefined();
  });

  test('an engine that hangs holds a scrape for a limited time, once', async () => {
    await server.close();
    server = await startEngine(() => undefined);
    engine = new DockerEngine(server.socketPath, 200);
    containers = new DockerContainers(engine, []);
    const start = performance.now();
    await containers.prepare([WEB]);
    await containers.prepare([WEB]);
    await containers.prepare([WEB]);
    expect(performance.now() - start).toBeLessThan(400);
    expect(containers.isUp).toBe(false);
  });

  test('entries of another shape are left out', async () => {
    await server.close();
    const list = [null, 3, {}, { Id: 'short' }, { Id: WEB, Names: 'x', Labels: [], State: 7 }];
    server = await startEngine((incoming, answer) => {
      answer.end(incoming.url === '/version' ? '{"Version":"9","ApiVersion":"1.41"}' : JSON.stringify(list));
    });
    engine = new DockerEngine(server.socketPath, 500);
    containers = new DockerContainers(engine, ['a']);
    await containers.refresh();
    expect([...containers.all()].map(({ name, state }) => [name, state])).toEqual([[WEB.slice(0, 12), '']]);
  });
});
