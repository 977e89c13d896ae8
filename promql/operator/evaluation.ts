import { Annotations, type Span } from '../../model/annotations.ts';
import { CodedError } from '../../util/errors.ts';
import { positionOf } from '../parse/errors.ts';

/** Units of work (about one sample touched each) between two looks at the clock and the cancel word: 1 to 3 ms. */
const QUANTUM = 200_000;

/** What bounds one query. */
export interface EvaluationLimits {
  /** Samples in memory, counted as Prometheus' step-wise evaluation counts them. */
  readonly samplesMax: number;
  /** Bytes of our own columns. */
  readonly memoryBytesMax: number;
}

/** What all operators of one query share: limits, annotations, the quantum of work, how long to look back. */
export class Evaluation {
  readonly annotations = new Annotations();
  readonly query: string;
  readonly lookbackMs: number;
  readonly delayedNameRemoval: boolean;
  readonly isRangeQuery: boolean;
  readonly #limits: EvaluationLimits;
  #work = 0;
  #samples = 0;
  #memoryBytes = 0;
  /** Highest number of samples held at once. */
  peakSamples = 0;
  /** Samples that selectors and windows looked at; the API calls it totalQueryableSamples. */
  totalSamples = 0;

  constructor(
    query: string,
    options: {
      readonly lookbackMs: number;
      readonly delayedNameRemoval: boolean;
      readonly isRangeQuery: boolean;
      readonly limits: EvaluationLimits;
    },
  ) {
    this.query = query;
    this.isRangeQuery = options.isRangeQuery;
    this.lookbackMs = options.lookbackMs;
    this.delayedNameRemoval = options.delayedNameRemoval;
    this.#limits = options.limits;
  }

  /** Counts work; true when the quantum is spent and the operator should return to its caller soon. */
  spend(units: number): boolean {
    this.#work += units;
    return this.#work >= QUANTUM;
  }

  get isSpent(): boolean {
    return this.#work >= QUANTUM;
  }

  /** Units left in this quantum, at least 1. */
  get workLeft(): number {
    return Math.max(1, QUANTUM - this.#work);
  }

  startQuantum(): void {
    this.#work = 0;
  }

  /** Counts samples that an operator has put out. Throws when the query holds too many. See `HeldSamples`. */
  holdSamples(count: number): void {
    this.#samples += count;
    if (this.#samples > this.peakSamples) this.peakSamples = this.#samples;
    if (this.#samples > this.#limits.samplesMax) {
      throw new CodedError('execution', 'query processing would load too many samples into memory in query execution');
    }
  }

  releaseSamples(count: number): void {
    this.#samples -= count;
  }

  /** Counts bytes about to be allocated for this query. Throws when they are too many. */
  reserveBytes(count: number): void {
    this.#memoryBytes += count;
    if (this.#memoryBytes > this.#limits.memoryBytesMax) {
      throw new CodedError(
        'execution',
        `query needs more than ${this.#limits.memoryBytesMax} bytes of memory, the limit set by --query.max-memory; ` +
          'select fewer series, a shorter range or a longer step',
      );
    }
  }

  floats(count: number): Float64Array {
    this.reserveBytes(count * 8);
    return new Float64Array(count);
  }

  bytes(count: number): Uint8Array {
    this.reserveBytes(count);
    return new Uint8Array(count);
  }

  warn(text: string, span: Span): void {
    this.annotations.warn(`PromQL warning: ${text} (${positionOf(this.query, span)})`);
  }

  info(text: string, span: Span): void {
    this.annotations.info(`PromQL info: ${text} (${positionOf(this.query, span)})`);
  }
}

/**
 * The samples one operator has put out. A step-wise evaluation keeps a node's whole output until its parent is done with
 * it, so operators add here while they produce, and a parent that is done closes its children, which releases them.
 */
export class HeldSamples {
  readonly #evaluation: Evaluation;
  #count = 0;

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
  }

  add(count: number): void {
    this.#count += count;
    this.#evaluation.holdSamples(count);
  }

  release(): void {
    this.#evaluation.releaseSamples(this.#count);
    this.#count = 0;
  }
}
