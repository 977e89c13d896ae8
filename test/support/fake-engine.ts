import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Docker engine on a unix socket, with every request it got. */
export interface FakeEngine {
  readonly socketPath: string;
  readonly requests: string[];
  close(): Promise<void>;
}

export type EngineHandler = (incoming: IncomingMessage, answer: ServerResponse) => void;

export async function startEngine(handle: EngineHandler): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-engine-'));
  const socketPath = join(folder, 'docker.sock');
  const requests: string[] = [];
  const server = createServer((incoming, answer) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    handle(incoming, answer);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Answers as an engine with these containers (inspect answers by id) would. */
export function serveContainers(inspected: ReadonlyMap<string, Record<string, unknown>>): EngineHandler {
  return (incoming, answer) => {
    const path = (incoming.url ?? '').replace(/^\/v1\.\d+/, '').replace(/\?.*$/, '');
    const id = /^\/containers\/([0-9a-f]{64})\/json$/.exec(path)?.[1];
    let body: unknown;
    if (path === '/version') body = { Version: '20.10.24', ApiVersion: '1.41' };
    else if (path === '/containers/json') body = [...inspected.values()].map(listed);
    else if (id !== undefined) body = inspected.get(id);
    if (body === undefined) answer.writeHead(404).end('{"message":"page not found"}');
    else answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

function listed(answer: Record<string, unknown>): Record<string, unknown> {
  const config = answer['Config'] as Record<string, unknown>;
  const state = answer['State'] as { Status: string; Health?: { Status: string } };
  const health = state.Health?.Status;
  const suffix = health === 'starting' ? ' (health: starting)' : health === undefined ? '' : ` (${health})`;
  return {
    Id: answer['Id'],
    Names: [answer['Name']],
    Image: config['Image'],
    Labels: config['Labels'],
    State: state.Status,
    Status: `Up 5 minutes${suffix}`,
    HostConfig: { NetworkMode: (answer['HostConfig'] as Record<string, unknown>)['NetworkMode'] },
  };
}
