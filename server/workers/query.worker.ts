// Entry of a query worker: a reader of the head and the engine over it.
import { flushCompileCache } from 'node:module';
import { workerData, type MessagePort } from 'node:worker_threads';
import { openHead } from '../../tsdb/head/head-querier.ts';
import type { FromQueryWorker, ToQueryWorker } from './messages.ts';
import { QueryRunner } from './query-runner.ts';

const { port } = workerData as { readonly port: MessagePort };
let runner: QueryRunner | undefined;

port.on('message', (message: ToQueryWorker) => {
  if (message.type === 'setup') {
    const { setup } = message;
    runner = new QueryRunner(setup, openHead(setup.head, setup.slot), port);
    const ready: FromQueryWorker = { type: 'ready' };
    port.postMessage(ready);
    // A worker that is terminated writes nothing by itself, and would strip and compile its sources at every start.
    flushCompileCache();
  } else {
    void runner?.run(message);
  }
});
