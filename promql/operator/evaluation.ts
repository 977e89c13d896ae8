import { Annotations, type Span } from '../../model/annotations.ts';
import { CodedError } from '../../util/errors.ts';
import { positionOf } from '../parse/errors.ts';
import { SampleCount, type CountKind } from './sample-count.ts';

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
  #memoryBytes = 0;
  #count = new SampleCount('same', 1, 1, 0);
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

  /** The node that is being built; what is built within it becomes its input. */
  get count(): SampleCount {
    return this.#count;
  }

  /** Starts the counts of a node that is at `span`; returns those of the node around it, for `leave`. */
  enter(kind: CountKind, stepCount: number, weight: number, span: Span): SampleCount {
    const outer = this.#count;
    this.#count = new SampleCount(kind, stepCount, outer.weight * weight, span.start);
    outer.addInput(this.#count);
    return outer;
  }

  leave(outer: SampleCount): void {
    this.#count = outer;
  }

  /** Highest number of samples held at once, as a step-wise evaluation would. */
  get peakSamples(): number {
    return this.#count.peak(0);
  }

  /** Throws when the query holds too many samples. Called once per quantum, when nothing is being built. */
  checkSamples(): void {
    if (this.peakSamples <= this.#limits.samplesMax) return;
    throw new CodedError('execution', 'query processing would load too many samples into memory in query execution');
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
