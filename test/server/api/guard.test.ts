import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createGuard, isLoopback, type GuardOptions } from '../../../server/api/guard.ts';

function request(headers: Record<string, string>, localAddress = '127.0.0.1'): IncomingMessage {
  return { headers, socket: { localAddress } } as unknown as IncomingMessage;
}

const guard = (options: Partial<GuardOptions> = {}): ReturnType<typeof createGuard> =>
  createGuard({ corsOrigin: '', externalUrl: undefined, ...options });

describe('host names (S10)', () => {
  test.each(['localhost', 'localhost:9090', '127.0.0.1:9090', '127.8.7.6', '[::1]:9090', 'LOCALHOST'])(
    '%s is served on loopback',
    (host) => {
      expect(guard().check(request({ host }))).toBeUndefined();
    },
  );

  test.each(['evil.example', 'localhost.evil.example:9090', '10.0.0.1', '[fe80::1]'])('%s is not', (host) => {
    expect(guard().check(request({ host }))).toMatchObject({ status: 421 });
  });

  test('the external address is served, and anything where others can reach the server anyway', () => {
    const behindProxy = guard({ externalUrl: new URL('https://metrics.example/narthex') });
    expect(behindProxy.check(request({ host: 'metrics.example' }))).toBeUndefined();
    expect(guard().check(request({ host: 'server.example' }, '192.168.1.1'))).toBeUndefined();
  });

  test('loopback addresses', () => {
    expect(['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['128.0.0.1', '::2', '127.example', '::ffff:10.0.0.1', ''].some(isLoopback)).toBe(false);
  });
});

describe('changes (S9)', () => {
  test.each<Record<string, string>>([
    { host: 'a:1' },
    { host: 'a:1', origin: 'http://a:1' },
    { host: 'a:1', 'sec-fetch-site': 'same-origin' },
    { host: 'a:1', 'sec-fetch-site': 'none' },
  ])('%o may', (headers) => {
    expect(guard().checkOrigin(request(headers))).toBeUndefined();
  });

  test.each<Record<string, string>>([
    { host: 'a:1', origin: 'http://b:1' },
    { host: 'a:1', origin: 'http://a:2' },
    { host: 'a:1', origin: 'null' },
    { host: 'a:1', 'sec-fetch-site': 'cross-site' },
    { host: 'a:1', 'sec-fetch-site': 'same-site', origin: 'http://a:1' },
  ])('%o may not', (headers) => {
    expect(guard().checkOrigin(request(headers))).toMatchObject({ status: 403 });
  });
});

describe('foreign origins (S8)', () => {
  const origin = 'https://grafana.example';

  test('may read nothing unless a pattern allows them', () => {
    expect(guard().answerHeaders(request({ origin }))).not.toHaveProperty('access-control-allow-origin');
    const some = guard({ corsOrigin: 'https://.*\\.example' });
    expect(some.answerHeaders(request({ origin }))['access-control-allow-origin']).toBe(origin);
    expect(some.answerHeaders(request({ origin: 'https://x.example.com' }))).not.toHaveProperty(
      'access-control-allow-origin',
    );
    expect(guard({ corsOrigin: '.*' }).answerHeaders(request({ origin }))['access-control-allow-origin']).toBe('*');
  });
});
