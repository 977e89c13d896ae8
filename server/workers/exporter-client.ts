import { CodedError, errorText } from '../../util/errors.ts';
import type { Log } from '../../util/host.ts';
import type { ExporterRead, FromExporterWorker, ToExporterWorker } from './messages.ts';
import { spawnWorker, type SpawnedWorker } from './spawn.ts';

/** A collector that hangs (a dead mount) must not collect waiting scrapes for ever. */
const READ_MS_MAX = 20_000;
const LIMITS = { heapMb: 64, youngMb: 3, stackMb: 4 };

interface Pending {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Main's side of the exporter worker. Readings that overlap share one. A worker that fails is replaced at the next one. */
export class ExporterClient {
  readonly #log: Log;
  readonly #pending = new Map<number, Pending>();
  readonly #shared = new Map<ExporterRead, Promise<Uint8Array>>();
  #spawned: SpawnedWorker | undefined;
  #nextId = 1;
  #isClosed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The body of an exporter, text format 0.0.4. */
  read(what: ExporterRead): Promise<Uint8Array> {
    let reading = this.#shared.get(what);
    if (!reading) {
      reading = this.#read(what).finally(() => this.#shared.delete(what));
      this.#shared.set(what, reading);
    }
    return reading;
  }

  /** Whether the container exporter has anything to show on this machine. */
  async hasContainers(): Promise<boolean> {
    return Buffer.from(await this.read('has-containers')).toString() === 'true';
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#spawned?.worker.terminate();
    this.#fail(new CodedError('unavailable', 'the server is shutting down'));
  }

  #read(what: ExporterRead): Promise<Uint8Array> {
    if (this.#isClosed) return Promise.reject(new CodedError('unavailable', 'the server is shutting down'));
    this.#spawned ??= this.#spawn();
    const { port } = this.#spawned;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CodedError('timeout', `the built-in exporter did not answer within ${READ_MS_MAX / 1000} s`));
      }, READ_MS_MAX);
      this.#pending.set(id, { resolve, reject, timer });
      const message: ToExporterWorker = { type: 'read', id, what };
      port.postMessage(message);
    });
  }

  #spawn(): SpawnedWorker {
    const spawned = spawnWorker('exporter', LIMITS);
    const onEnd = (error: CodedError): void => {
      if (this.#spawned !== spawned) return;
      this.#spawned = undefined;
      this.#fail(error);
    };
    spawned.port.on('message', (message: FromExporterWorker) => this.#receive(message));
    spawned.worker.on('error', (error) => {
      this.#log.error({ err: errorText(error) }, 'exporter worker failed');
      onEnd(new CodedError('internal', `the built-in exporter failed: ${errorText(error)}`));
    });
    spawned.worker.on('exit', () => onEnd(new CodedError('internal', 'the built-in exporter ended')));
    const message: ToExporterWorker = { type: 'setup', options: {} };
    spawned.port.postMessage(message);
    return spawned;
  }

  #receive(message: FromExporterWorker): void {
    if (message.type === 'log') {
      this.#log[message.level](message.facts, message.message);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    clearTimeout(pending.timer);
    if (message.type === 'body') pending.resolve(message.bytes);
    else pending.reject(new CodedError('internal', message.error));
  }

  #fail(error: CodedError): void {
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
  }
}
