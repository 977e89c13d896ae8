// Entry of the exporter worker: the built-in collectors, which read /proc and /sys synchronously.
import { flushCompileCache } from 'node:module';
import { workerData, type MessagePort } from 'node:worker_threads';
import { createExporters, type Exporters } from '../../exporters/main.ts';
import { errorText } from '../../util/errors.ts';
import type { Log, LogFacts } from '../../util/host.ts';
import type { ExporterRead, FromExporterWorker, ToExporterWorker } from './messages.ts';

const { port } = workerData as { readonly port: MessagePort };
let exporters: Exporters | undefined;

function send(message: FromExporterWorker): void {
  port.postMessage(message, message.type === 'body' ? [message.bytes.buffer] : []);
}

const logAt =
  (level: keyof Log) =>
  (facts: LogFacts, message: string): void =>
    send({ type: 'log', level, facts, message });
const log: Log = { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') };

async function read(what: ExporterRead): Promise<string> {
  if (!exporters) return '';
  if (what === 'has-containers') return String(await exporters.hasContainers());
  return what === 'host' ? exporters.host() : exporters.containers();
}

port.on('message', (message: ToExporterWorker) => {
  if (message.type === 'setup') {
    exporters = createExporters({ ...message.options, log });
    // A worker that is terminated writes nothing by itself, and would strip and compile its sources at every start.
    flushCompileCache();
    return;
  }
  const { id, what } = message;
  read(what).then(
    (text) => send({ type: 'body', id, bytes: new TextEncoder().encode(text) }),
    (error: unknown) => send({ type: 'failed', id, error: errorText(error) }),
  );
});
