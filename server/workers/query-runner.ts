// The inside of a query worker: takes jobs, runs them by turns, answers each with a finished HTTP body.
import type { MessagePort } from 'node:worker_threads';
import { gzip } from 'node:zlib';
import { Engine, type QueryControl, type QueryOutcome } from '../../promql/engine.ts';
import type { HeadReader } from '../../tsdb/head/head-querier.ts';
import { CodedError } from '../../util/errors.ts';
import { errorEnvelope, JsonWriter, writeOutcome, type Breather } from '../api/json.ts';
import { runMetadataJob } from './metadata-jobs.ts';
import { CANCEL_NONE, type FromQueryWorker, type QueryJob, type QueryWorkerSetup } from './messages.ts';
import { runParserJob } from './parser-jobs.ts';
import { Turns } from './turns.ts';

/** Work without giving way: other jobs and messages wait this long at most. */
const BREATH_MS = 4;
/** Below this, packing costs more than it saves. */
const GZIP_BYTES_MIN = 1400;

export interface JobOrder {
  readonly id: number;
  readonly job: QueryJob;
  readonly word: number;
  readonly timeoutMs: number;
  readonly gzip: boolean;
}

type Done = Extract<FromQueryWorker, { type: 'done' }>;
type Answer = Pick<Done, 'status' | 'bytes' | 'timings' | 'samples' | 'bug'>;

/** One per worker. */
export class QueryRunner {
  readonly #setup: QueryWorkerSetup;
  readonly #engine: Engine;
  readonly #head: HeadReader;
  readonly #port: MessagePort;
  readonly #words: Int32Array;
  readonly #turns = new Turns();

  constructor(setup: QueryWorkerSetup, head: HeadReader, port: MessagePort) {
    this.#setup = setup;
    this.#head = head;
    this.#port = port;
    this.#engine = new Engine(setup.engine);
    this.#words = new Int32Array(setup.cancelWords, 0, setup.cancelWords.byteLength >> 2);
  }

  /** Runs one job and sends its answer. Never rejects. */
  async run(order: JobOrder): Promise<void> {
    const answer = await this.#answer(order).catch(failure);
    const packed = order.gzip && answer.bytes.length >= GZIP_BYTES_MIN ? await pack(answer.bytes) : undefined;
    const bytes = packed ?? answer.bytes;
    const done: Done = { type: 'done', id: order.id, ...answer, bytes, isGzip: packed !== undefined };
    this.#port.postMessage(done, [bytes.buffer]);
  }

  async #answer(order: JobOrder): Promise<Answer> {
    const { job } = order;
    const control = this.#control(order);
    await control.yieldTurn();
    if (isParserJob(job)) {
      return { status: 200, bytes: runParserJob(job, this.#setup.engine.parser), ...WITHOUT_FIGURES };
    }
    if (job.type === 'cardinality') {
      // Main puts it into the answer of /status/tsdb.
      const bytes = new TextEncoder().encode(JSON.stringify(this.#head.stats(job.limit)));
      return { status: 200, bytes, ...WITHOUT_FIGURES };
    }
    const out = new JsonWriter(this.#setup.responseBytesMax);
    const breathe = breather(control);
    if (job.type !== 'instant' && job.type !== 'range') {
      await runMetadataJob(job, this.#head, out, breathe);
      return { status: 200, bytes: out.take(), ...WITHOUT_FIGURES };
    }
    const outcome = await this.#evaluate(job, control);
    const warned = job.warnings.length > 0 ? [...job.warnings, ...outcome.warnings] : outcome.warnings;
    const { stats } = outcome;
    await writeOutcome(out, { ...outcome, warnings: warned }, job.withStats ? stats : undefined, breathe);
    const { preparationMs, evaluationMs, sortMs } = stats.timings;
    return {
      status: 200,
      bytes: out.take(),
      timings: { preparation: preparationMs / 1000, evaluation: evaluationMs / 1000, sort: sortMs / 1000 },
      samples: stats.totalQueryableSamples,
      bug: undefined,
    };
  }

  async #evaluate(job: Extract<QueryJob, { type: 'instant' | 'range' }>, control: QueryControl): Promise<QueryOutcome> {
    try {
      return job.type === 'instant'
        ? await this.#engine.instant(job, this.#head, control)
        : await this.#engine.range(job, this.#head, control);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'bad_data') throw error;
      throw new CodedError('bad_data', `invalid parameter "query": ${error.message}`, { cause: error });
    }
  }

  #control({ job, word, timeoutMs }: JobOrder): QueryControl {
    const isShort = job.type !== 'range' && job.type !== 'series' && job.type !== 'cardinality';
    const words = this.#words;
    const turns = this.#turns;
    return {
      isCanceled: () => Atomics.load(words, word) !== CANCEL_NONE,
      now: () => performance.now(),
      deadlineMs: performance.now() + timeoutMs,
      yieldTurn: () => turns.wait(isShort),
    };
  }
}

function isParserJob(
  job: QueryJob,
): job is Extract<QueryJob, { type: 'format' | 'parse' | 'exemplars' | 'check-matchers' }> {
  return job.type === 'format' || job.type === 'parse' || job.type === 'exemplars' || job.type === 'check-matchers';
}

const WITHOUT_FIGURES = { timings: undefined, samples: 0, bug: undefined } as const;

/** Gives way when the thread was held for long enough, and then looks whether to go on. */
function breather(control: QueryControl): Breather {
  let heldSinceMs = control.now();
  return async () => {
    if (control.now() - heldSinceMs < BREATH_MS) return;
    await control.yieldTurn();
    if (control.isCanceled()) throw new CodedError('canceled', 'query was canceled in query execution');
    heldSinceMs = control.now();
    if (heldSinceMs > (control.deadlineMs ?? Infinity)) {
      throw new CodedError('timeout', 'query timed out in query execution');
    }
  };
}

function failure(error: unknown): Answer {
  const isOurs = error instanceof CodedError;
  const bug = isOurs ? undefined : error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ...errorEnvelope(error), timings: undefined, samples: 0, bug };
}

/** On a thread of libuv's, so that other jobs go on; undefined when it could not be packed. */
function pack(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return new Promise((resolve) => {
    gzip(bytes, { level: 1 }, (error, packed) => {
      // zlib may hand out a slice of a shared pool, which cannot be transferred.
      resolve(error ? undefined : packed.byteLength === packed.buffer.byteLength ? packed : new Uint8Array(packed));
    });
  });
}
