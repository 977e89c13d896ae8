import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';

export interface WorkerLimits {
  readonly heapMb: number;
  /** Of young objects: what fills it is collected, so it decides how much garbage lies about. */
  readonly youngMb: number;
  readonly stackMb: number;
}

export interface SpawnedWorker {
  readonly worker: Worker;
  /** Our side of the worker's own channel: the default port gets messages of `node --watch` too. */
  readonly port: MessagePort;
}

/** Starts `<name>.worker`; its entry finds its port in workerData. Nothing else travels there (it would never be freed). */
export function spawnWorker(name: string, limits: WorkerLimits): SpawnedWorker {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(workerUrl(name), {
    name,
    workerData: { port: port2 },
    transferList: [port2],
    resourceLimits: {
      maxOldGenerationSizeMb: limits.heapMb,
      maxYoungGenerationSizeMb: limits.youngMb,
      stackSizeMb: limits.stackMb,
    },
  });
  return { worker, port: port1 };
}

/** The source in a clone; in the published build workers/ is below main.js and beside the shared chunks. */
function workerUrl(name: string): URL {
  const self = import.meta.url;
  if (self.endsWith('.ts')) return new URL(`./${name}.worker.ts`, self);
  const isShared = /\/chunks\/[^/]+$/.test(self);
  return new URL(`${isShared ? '../' : './'}workers/${name}.worker.js`, self);
}
