// Main's side of the query workers: who runs what, cancelling, deadlines, and workers that have to be replaced.
import { CodedError, errorText } from '../../util/errors.ts';
import type { Log } from '../../util/host.ts';
import { BusyError, Gate } from './gate.ts';
import {
  CANCEL_ASKED,
  CANCEL_NONE,
  type FromQueryWorker,
  type QueryJob,
  type QueryTimingsSeconds,
  type QueryWorkerSetup,
  type ToQueryWorker,
} from './messages.ts';
import { spawnWorker, type SpawnedWorker, type WorkerLimits } from './spawn.ts';

/** How long after its deadline a query may take to notice before its worker is ended. */
const DEADLINE_GRACE_MS = 5000;
/** As long after it was canceled. */
const CANCEL_GRACE_MS = 5000;
const QUEUE_MAX = 200;
const QUEUE_MS = 10_000;

/** The head, as far as its readers on other threads concern it. */
export interface SharedHead {
  share(): QueryWorkerSetup['head'];
  acquireReaderSlot(): number;
  /** The thread with this slot is gone, whatever it was reading. */
  releaseReaderSlot(slot: number): void;
}

export interface QueryPoolOptions {
  readonly workerCount: number;
  readonly maxConcurrency: number;
  readonly timeoutMs: number;
  readonly limits: WorkerLimits;
  readonly setup: Omit<QueryWorkerSetup, 'slot' | 'head' | 'cancelWords'>;
  readonly log: Log;
  readonly observer: QueryObserver;
}

/** What the pool tells of queries, for metrics. */
export interface QueryObserver {
  finished(job: QueryJob, queueSeconds: number, timings: QueryTimingsSeconds | undefined, samples: number): void;
  rejected(reason: string): void;
  canceled(reason: 'client' | 'deadline' | 'shutdown'): void;
  workerReplaced(): void;
}

export interface JobOptions {
  /** Undefined: the server's. Never more than the server's. */
  readonly timeoutMs: number | undefined;
  readonly gzip: boolean;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface JobAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly isGzip: boolean;
}

interface Running {
  readonly id: number;
  readonly job: QueryJob;
  readonly word: number;
  readonly startedMs: number;
  readonly queueSeconds: number;
  timer: NodeJS.Timeout;
  readonly settle: (answer: JobAnswer | Error) => void;
}

class PoolWorker {
  /** Of the head's readers; undefined before the head is there. */
  slot: number | undefined;
  readonly spawned: SpawnedWorker;
  readonly running = new Map<number, Running>();
  /** Being ended; takes no more jobs. */
  isDoomed = false;

  constructor(spawned: SpawnedWorker) {
    this.spawned = spawned;
  }

  send(message: ToQueryWorker): void {
    this.spawned.port.postMessage(message);
  }
}

/**
 * Runs queries on worker threads. A query goes whole to the least busy worker and comes back as the bytes of the answer.
 * `start` first, then `open`; jobs can be run after that.
 */
export class QueryPool {
  readonly #options: QueryPoolOptions;
  readonly #gate: Gate;
  readonly #words: Int32Array;
  readonly #freeWords: number[] = [];
  readonly #workers: PoolWorker[] = [];
  #head: SharedHead | undefined;
  /** While it is set, no query is begun. */
  isMemoryShort = false;
  #nextId = 1;
  #isClosed = false;

  constructor(options: QueryPoolOptions) {
    this.#options = options;
    const { maxConcurrency } = options;
    this.#gate = new Gate({ max: maxConcurrency, queueMax: QUEUE_MAX, queueMs: QUEUE_MS });
    const buffer = new SharedArrayBuffer(maxConcurrency * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(buffer, 0, maxConcurrency);
    for (let word = maxConcurrency - 1; word >= 0; word--) this.#freeWords.push(word);
  }

  /** Starts the threads, so that they are warm when the database is. */
  start(): void {
    for (let i = 0; i < this.#options.workerCount; i++) this.#workers.push(this.#spawn());
  }

  /** Queries that run, and that wait for their turn. */
  get figures(): { readonly running: number; readonly queued: number } {
    return { running: this.#gate.held, queued: this.#gate.queueLength };
  }

  /** Gives the workers the head to read. */
  open(head: SharedHead): void {
    this.#head = head;
    for (const worker of this.#workers) this.#setUp(worker, head);
  }

  /** Rejects with CodedError when there is no answer: refused, canceled, or the worker had to be ended. */
  async run(job: QueryJob, { timeoutMs, gzip, signal }: JobOptions): Promise<JobAnswer> {
    if (this.#isClosed || !this.#head) throw new CodedError('unavailable', 'the server is not ready for queries');
    if (this.isMemoryShort) {
      this.#options.observer.rejected('memory');
      throw new BusyError('memory', 'the server is at its memory limit (--memory.budget); try again');
    }
    const arrivedMs = performance.now();
    try {
      await this.#gate.enter(signal);
    } catch (error) {
      this.#options.observer.rejected(error instanceof BusyError ? error.reason : 'gone');
      throw error;
    }
    try {
      const queueMs = performance.now() - arrivedMs;
      const allowedMs = Math.min(timeoutMs ?? Infinity, this.#options.timeoutMs) - queueMs;
      return await this.#runNow(job, { gzip, signal, allowedMs: Math.max(allowedMs, 0), queueSeconds: queueMs / 1000 });
    } finally {
      this.#gate.leave();
    }
  }

  /** Refuses new queries, lets those under way end within `graceMs`, then ends the workers. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#gate.clear(new CodedError('unavailable', 'the server is shutting down'));
    const deadlineMs = performance.now() + graceMs;
    while (this.#runningCount() > 0 && performance.now() < deadlineMs) await sleep(20);
    for (const worker of this.#workers) {
      for (const running of worker.running.values()) {
        Atomics.store(this.#words, running.word, CANCEL_ASKED);
        this.#options.observer.canceled('shutdown');
      }
    }
    const lastMs = performance.now() + 500;
    while (this.#runningCount() > 0 && performance.now() < lastMs) await sleep(10);
    await Promise.all(this.#workers.map(({ spawned }) => spawned.worker.terminate()));
  }

  #runNow(
    job: QueryJob,
    options: { gzip: boolean; signal: AbortSignal; allowedMs: number; queueSeconds: number },
  ): Promise<JobAnswer> {
    const { gzip, signal, allowedMs, queueSeconds } = options;
    const { promise, resolve, reject } = Promise.withResolvers<JobAnswer>();
    const worker = this.#leastBusy();
    const id = this.#nextId++;
    const word = this.#freeWords.pop()!;
    Atomics.store(this.#words, word, CANCEL_NONE);
    const cancel = (): void => {
      this.#options.observer.canceled('client');
      Atomics.store(this.#words, word, CANCEL_ASKED);
      this.#doomLater(worker, running, CANCEL_GRACE_MS, 'was canceled');
    };
    const running: Running = {
      id,
      job,
      word,
      startedMs: performance.now(),
      queueSeconds,
      timer: setTimeout(() => {}, 0),
      settle: (answer) => {
        clearTimeout(running.timer);
        signal.removeEventListener('abort', cancel);
        worker.running.delete(id);
        this.#freeWords.push(word);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      },
    };
    this.#doomLater(worker, running, allowedMs + DEADLINE_GRACE_MS, 'is past its deadline');
    worker.running.set(id, running);
    signal.addEventListener('abort', cancel, { once: true });
    worker.send({ type: 'job', id, job, word, timeoutMs: allowedMs, gzip });
    return promise;
  }

  /** Ends the worker unless the job ends before. The word it reads is the first try; this is the second. */
  #doomLater(worker: PoolWorker, running: Running, delayMs: number, why: string): void {
    clearTimeout(running.timer);
    running.timer = setTimeout(() => {
      this.#options.observer.canceled('deadline');
      this.#options.log.warn(
        { query: queryOf(running.job) },
        `query ${why} and does not react; its worker is replaced`,
      );
      this.#replace(worker, new CodedError('timeout', 'query timed out in query execution'));
    }, delayMs);
  }

  #leastBusy(): PoolWorker {
    const usable = this.#workers.filter(({ isDoomed }) => !isDoomed);
    let best = usable[0] ?? this.#workers[0]!;
    for (const worker of usable) if (worker.running.size < best.running.size) best = worker;
    return best;
  }

  #spawn(): PoolWorker {
    const worker = new PoolWorker(spawnWorker('query', this.#options.limits));
    const { worker: thread, port } = worker.spawned;
    port.on('message', (message: FromQueryWorker) => this.#receive(worker, message));
    thread.on('error', (error) => {
      this.#options.log.error({ err: errorText(error) }, 'query worker failed');
      this.#replace(worker, new CodedError('internal', 'the thread of this query failed; others are not concerned'));
    });
    thread.on('exit', () => {
      if (!this.#isClosed && !worker.isDoomed) {
        this.#replace(worker, new CodedError('internal', 'the thread of this query ended'));
      }
    });
    return worker;
  }

  #setUp(worker: PoolWorker, head: SharedHead): void {
    const slot = head.acquireReaderSlot();
    worker.slot = slot;
    const cancelWords = this.#words.buffer as SharedArrayBuffer;
    worker.send({ type: 'setup', setup: { ...this.#options.setup, head: head.share(), slot, cancelWords } });
  }

  #receive(worker: PoolWorker, message: FromQueryWorker): void {
    if (message.type === 'ready') return;
    const running = worker.running.get(message.id);
    if (!running) return;
    const { status, bytes, isGzip, timings, samples, bug } = message;
    if (bug !== undefined) this.#options.log.error({ query: queryOf(running.job), err: bug }, 'query failed by a bug');
    this.#options.observer.finished(running.job, running.queueSeconds, timings, samples);
    running.settle({ status, bytes, isGzip });
  }

  /** Fails the worker's jobs with `error`, ends it, and puts another in its slot when it is gone. */
  #replace(worker: PoolWorker, error: CodedError): void {
    if (worker.isDoomed) return;
    worker.isDoomed = true;
    this.#options.observer.workerReplaced();
    for (const running of worker.running.values()) running.settle(error);
    void this.#replaceWhenGone(worker);
  }

  async #replaceWhenGone(worker: PoolWorker): Promise<void> {
    await worker.spawned.worker.terminate();
    worker.spawned.port.close();
    // Only now: while the thread lives it may still read what its slot protects.
    if (worker.slot !== undefined) this.#head?.releaseReaderSlot(worker.slot);
    if (this.#isClosed) return;
    const fresh = this.#spawn();
    this.#workers[this.#workers.indexOf(worker)] = fresh;
    if (this.#head) this.#setUp(fresh, this.#head);
  }

  #runningCount(): number {
    return this.#workers.reduce((sum, { running }) => sum + running.size, 0);
  }
}

function queryOf(job: QueryJob): string {
  return 'query' in job ? job.query : 'matches' in job ? `${job.type} ${job.matches.join(' ')}` : job.type;
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, delayMs));
}
