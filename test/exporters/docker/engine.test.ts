import { describe, expect, test } from 'vitest';
import { DockerEngine, EngineError } from '../../../exporters/docker/engine.ts';
import { startEngine } from '../../support/fake-engine.ts';
import type { EngineHandler } from '../../support/fake-engine.ts';

const ID = 'ab'.repeat(32);

async function withEngine(
  handle: EngineHandler,
  use: (engine: DockerEngine, requests: readonly string[]) => Promise<void>,
  timeoutMs = 1000,
): Promise<void> {
  const server = await startEngine(handle);
  const engine = new DockerEngine(server.socketPath, timeoutMs);
  try {
    await use(engine, server.requests);
  } finally {
    engine.close();
    await server.close();
  }
}

function answering(apiVersion: string): EngineHandler {
  return (incoming, answer) => {
    answer.end(incoming.url === '/version' ? `{"Version":"9","ApiVersion":"${apiVersion}"}` : '[]');
  };
}

describe('docker engine client', () => {
  test.each([
    ['1.41', '/v1.41'],
    ['1.52', '/v1.41'],
    ['1.24', '/v1.24'],
    ['odd', ''],
  ])('an engine of API %s is asked below "%s"', async (apiVersion, prefix) => {
    await withEngine(answering(apiVersion), async (engine, requests) => {
      expect(await engine.read({ type: 'containers' })).toEqual([]);
      await engine.read({ type: 'container', id: ID });
      expect(requests).toEqual([
        'GET /version',
        `GET ${prefix}/containers/json?all=1`,
        `GET ${prefix}/containers/${ID}/json`,
      ]);
    });
  });

  test.each(['', 'abc', '../../x', `${ID}/../../build`, ID.toUpperCase(), `${ID}0`, 'abcdefabcdef?x=1'])(
    'the id "%s" never reaches the socket',
    async (id) => {
      await withEngine(answering('1.41'), async (engine, requests) => {
        await expect(engine.read({ type: 'container', id })).rejects.toThrow('not a container id');
        expect(requests.filter((request) => request !== 'GET /version')).toEqual([]);
      });
    },
  );

  test('an engine that accepts and never answers costs one timeout', async () => {
    await withEngine(
      () => undefined,
      async (engine) => {
        const start = performance.now();
        await expect(engine.version()).rejects.toThrow(/GET \/version: no answer in 50 ms/);
        expect(performance.now() - start).toBeLessThan(500);
      },
      50,
    );
  });

  test('an answer that stops in the middle is an error', async () => {
    await withEngine(
      (_, answer) => {
        answer.writeHead(200, { 'content-length': '100' });
        answer.write('{"Version":');
      },
      async (engine) => {
        await expect(engine.version()).rejects.toThrow(EngineError);
      },
      50,
    );
  });

  test.each<[string, EngineHandler, RegExp]>([
    ['status', (_, answer) => void answer.writeHead(503).end('{"message":"no"}'), /status 503/],
    ['no JSON', (_, answer) => void answer.end('<html>'), /not JSON/],
    ['another shape', (_, answer) => void answer.end('[1]'), /has no version/],
    ['closed', (incoming) => void incoming.socket.destroy(), /GET \/version/],
  ])('%s is an error that says where', async (_, handle, message) => {
    await withEngine(handle, async (engine) => {
      await expect(engine.version()).rejects.toThrow(message);
    });
  });

  test('no engine at all', async () => {
    const engine = new DockerEngine('/nowhere/docker.sock');
    await expect(engine.version()).rejects.toThrow(/docker engine at \/nowhere\/docker.sock: GET \/version: .*ENOENT/);
    engine.close();
  });
});
