import type { Queryable, Querier } from '../model/storage.ts';
import type { DurationMs, TimestampMs } from '../model/time.ts';
import { CodedError } from '../util/errors.ts';
import { Collector, RangeCollector, sortByLabels } from './operator/collect.ts';
import { Evaluation } from './operator/evaluation.ts';
import { PENDING } from './operator/operator.ts';
import type { EngineOptions } from './options.ts';
import type { Expr } from './parse/ast.ts';
import { typeOf, typeText } from './parse/check.ts';
import { parseExpr } from './parse/parse.ts';
import { planBounds, stepTimesOf } from './plan/axis.ts';
import { Builder } from './plan/build.ts';
import { createPlan, type PlanNode } from './plan/plan.ts';
import { markInvariant } from './plan/rewrite.ts';
import type { QueryResult, ResultSeries, StepAxis } from './value.ts';

export interface InstantRequest {
  readonly query: string;
  readonly timeMs: TimestampMs;
  /** Instead of the engine's. */
  readonly lookbackDeltaMs?: DurationMs | undefined;
  /** Most series returned; 0 or nothing for all. */
  readonly limit?: number | undefined;
}

export interface RangeRequest {
  readonly query: string;
  readonly startMs: TimestampMs;
  readonly endMs: TimestampMs;
  /** Above 0. */
  readonly stepMs: DurationMs;
  readonly lookbackDeltaMs?: DurationMs | undefined;
  readonly limit?: number | undefined;
}

/** What the caller tells a running query, and the time by the caller's clock. */
export interface QueryControl {
  /** Reads the word that the canceller sets: events do not reach a busy thread. */
  isCanceled(): boolean;
  /** Monotonic clock, ms. */
  now(): number;
  /** By the same clock; undefined: the engine's timeout from the start on. */
  readonly deadlineMs?: number | undefined;
  /** Called every few ms of work: lets other queries of the thread run. */
  yieldTurn(): Promise<void>;
}

/** Milliseconds by the control's clock. */
export interface QueryTimings {
  /** Parsing, planning and looking up series. */
  readonly preparationMs: number;
  readonly evaluationMs: number;
  readonly sortMs: number;
  readonly totalMs: number;
}

export interface QueryStats {
  /** Samples that selectors looked at, as Prometheus counts them. */
  readonly totalQueryableSamples: number;
  readonly peakSamples: number;
  readonly timings: QueryTimings;
}

export interface QueryOutcome {
  readonly result: QueryResult;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
  readonly stats: QueryStats;
}

/**
 * Evaluates PromQL over any Queryable. Holds no state but its options: one engine serves any number of queries, several
 * at once on one thread, each giving way to the others every few milliseconds.
 *
 * Throws CodedError with Prometheus' texts: `bad_data` for what is not PromQL, `execution` for what goes wrong in it
 * (limits included), `timeout`, `canceled`.
 */
export class Engine {
  readonly options: EngineOptions;

  constructor(options: EngineOptions) {
    this.options = options;
  }

  /** The value of a query at one time. */
  async instant(request: InstantRequest, queryable: Queryable, control: QueryControl): Promise<QueryOutcome> {
    const expr = this.#parse(request.query);
    const axis = { startMs: request.timeMs, stepMs: 0, count: 1 };
    return new QueryRun(this.options, { ...request, expr, axis, isInstant: true }, control).run(queryable);
  }

  /** The values of a query at start, start + step, ... up to the end. */
  async range(request: RangeRequest, queryable: Queryable, control: QueryControl): Promise<QueryOutcome> {
    const expr = this.#parse(request.query);
    const type = typeOf(expr);
    if (type !== 'scalar' && type !== 'vector') {
      throw new CodedError(
        'bad_data',
        `invalid expression type "${typeText(type)}" for range query, must be Scalar or instant Vector`,
      );
    }
    const { startMs, endMs, stepMs } = request;
    if (!(stepMs > 0))
      throw new CodedError('bad_data', 'zero or negative query resolution step widths are not accepted');
    if (endMs < startMs) throw new CodedError('bad_data', 'end timestamp must not be before start time');
    const axis = { startMs, stepMs, count: Math.floor((endMs - startMs) / stepMs) + 1 };
    return new QueryRun(this.options, { ...request, expr, axis, isInstant: false }, control).run(queryable);
  }

  #parse(query: string): Expr {
    return parseExpr(query, this.options.parser);
  }
}

interface RunRequest {
  readonly query: string;
  readonly expr: Expr;
  readonly axis: StepAxis;
  readonly isInstant: boolean;
  readonly endMs?: TimestampMs;
  readonly lookbackDeltaMs?: DurationMs | undefined;
  readonly limit?: number | undefined;
}

/** One evaluation of one query. */
class QueryRun {
  readonly #options: EngineOptions;
  readonly #request: RunRequest;
  readonly #control: QueryControl;
  readonly #evaluation: Evaluation;
  readonly #startedMs: number;
  readonly #deadlineMs: number;

  constructor(options: EngineOptions, request: RunRequest, control: QueryControl) {
    this.#options = options;
    this.#request = request;
    this.#control = control;
    this.#startedMs = control.now();
    this.#deadlineMs = control.deadlineMs ?? this.#startedMs + options.timeoutMs;
    this.#evaluation = new Evaluation(request.query, {
      lookbackMs: request.lookbackDeltaMs ?? options.lookbackDeltaMs,
      delayedNameRemoval: options.delayedNameRemoval,
      isRangeQuery: !request.isInstant,
      limits: { samplesMax: options.samplesMax, memoryBytesMax: options.memoryBytesMax },
    });
  }

  async run(queryable: Queryable): Promise<QueryOutcome> {
    const { axis, query } = this.#request;
    this.#check();
    const plan = this.#plan();
    if (plan.type === 'string') {
      const result: QueryResult = { type: 'string', timeMs: axis.startMs, value: plan.value };
      return this.#outcome(result, this.#control.now(), 0);
    }
    const bounds = planBounds(plan, axis, this.#evaluation.lookbackMs);
    const reads = bounds.minMs <= bounds.maxMs;
    const querier = queryable.querier(reads ? bounds.minMs : axis.startMs, reads ? bounds.maxMs : axis.startMs);
    try {
      return await this.#evaluate(plan, querier);
    } catch (error) {
      if (error instanceof RangeError) throw outOfMemory(query, error);
      throw error;
    } finally {
      querier.close();
    }
  }

  #plan(): PlanNode {
    const { axis, expr, isInstant, endMs } = this.#request;
    const plan = createPlan(expr, {
      startMs: axis.startMs,
      endMs: endMs ?? axis.startMs,
      durations: {
        stepMs: axis.stepMs,
        rangeMs: isInstant ? 0 : (endMs ?? axis.startMs) - axis.startMs,
      },
      defaultSubqueryStepMs: this.#options.defaultSubqueryStepMs,
    });
    return markInvariant(plan);
  }

  async #evaluate(plan: PlanNode, querier: Querier): Promise<QueryOutcome> {
    const { axis } = this.#request;
    const builder = new Builder(this.#evaluation, querier);
    if (plan.type === 'range' || plan.type === 'subquery') {
      const reference = plan.type === 'range' ? plan.selector.reference : plan.reference;
      const windowEndMs = (reference.atMs ?? axis.startMs) - reference.offsetMs;
      const source = builder.buildRange(plan, axis);
      const collector = new RangeCollector(this.#evaluation, source, windowEndMs - plan.rangeMs, windowEndMs);
      const preparedMs = await this.#drive(collector);
      const series = collector.takeSeries();
      return this.#sorted(series, preparedMs, undefined);
    }
    const collector = new Collector(this.#evaluation, builder.build(plan, axis), stepTimesOf(axis));
    const preparedMs = await this.#drive(collector);
    if (!this.#request.isInstant) return this.#sorted(collector.takeSeries(), preparedMs, axis);
    if (plan.valueType === 'scalar') {
      return this.#outcome({ type: 'scalar', timeMs: axis.startMs, value: collector.firstValue }, preparedMs, 0);
    }
    return this.#outcome({ type: 'vector', series: collector.takeSeries() }, preparedMs, 0);
  }

  /** Runs the operators, a quantum at a time. Returns when preparation was over. */
  async #drive(collector: { run(): number; close(): void }): Promise<number> {
    const preparedMs = this.#control.now();
    try {
      for (;;) {
        this.#evaluation.startQuantum();
        const isPending = collector.run() === PENDING;
        this.#evaluation.checkSamples();
        if (!isPending) return preparedMs;
        this.#check();
        await this.#control.yieldTurn();
        this.#check();
      }
    } finally {
      collector.close();
    }
  }

  #check(): void {
    if (this.#control.isCanceled()) throw new CodedError('canceled', 'query was canceled in query execution');
    if (this.#control.now() > this.#deadlineMs) {
      throw new CodedError('timeout', 'query timed out in query execution');
    }
  }

  #sorted(series: ResultSeries[], preparedMs: number, axis: StepAxis | undefined): QueryOutcome {
    const startMs = this.#control.now();
    sortByLabels(series);
    return this.#outcome({ type: 'matrix', axis, series }, preparedMs, this.#control.now() - startMs);
  }

  #outcome(result: QueryResult, preparedMs: number, sortMs: number): QueryOutcome {
    const { limit } = this.#request;
    const { annotations, totalSamples, peakSamples } = this.#evaluation;
    const totalMs = this.#control.now() - this.#startedMs;
    const preparationMs = preparedMs - this.#startedMs;
    const limited = limitSeries(result, limit ?? 0);
    return {
      result: limited,
      warnings: limited === result ? annotations.warnings : [...annotations.warnings, 'results truncated due to limit'],
      infos: annotations.infos,
      stats: {
        totalQueryableSamples: totalSamples,
        peakSamples,
        timings: { preparationMs, evaluationMs: totalMs - preparationMs - sortMs, sortMs, totalMs },
      },
    };
  }
}

function limitSeries(result: QueryResult, limit: number): QueryResult {
  if (limit <= 0 || (result.type !== 'vector' && result.type !== 'matrix')) return result;
  if (result.series.length <= limit) return result;
  return { ...result, series: result.series.slice(0, limit) };
}

/** The runtime refuses an array that is too long with a RangeError: the query is at fault, not the process. */
function outOfMemory(query: string, cause: RangeError): CodedError {
  return new CodedError('execution', `query needs more memory than there is: ${query}`, { cause });
}
