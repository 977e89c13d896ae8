import type { ExporterClient } from '../workers/exporter-client.ts';
import { text, type Route } from './http.ts';

const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** /metrics of the server itself, and the built-in exporters below it. */
export function metricRoutes(ownText: () => Promise<string>, exporters: ExporterClient | undefined): Route[] {
  const get = (path: string, body: () => Promise<string | Uint8Array>): Route => ({
    path,
    methods: ['GET', 'HEAD'],
    isApi: false,
    whileStarting: true,
    handle: async () => ({ status: 200, type: EXPOSITION_TYPE, body: await body() }),
  });
  const routes = [get('metrics', ownText)];
  if (exporters) {
    routes.push(get('metrics/host', () => exporters.read('host')));
    routes.push(get('metrics/cadvisor', () => exporters.read('containers')));
  } else {
    const off = (): ReturnType<typeof text> => text(404, 'the built-in exporters are off (--no-exporter.enabled)\n');
    for (const path of ['metrics/host', 'metrics/cadvisor']) {
      routes.push({ path, methods: ['GET', 'HEAD'], isApi: false, whileStarting: true, handle: off });
    }
  }
  return routes;
}
