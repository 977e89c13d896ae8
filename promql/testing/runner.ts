import type { TimestampMs } from '../../model/time.ts';
import { unreachable } from '../../util/assert.ts';
import type { FloatHistogram } from '../../model/float-histogram.ts';
import { CodedError, errorText } from '../../util/errors.ts';
import type { Engine, QueryControl, QueryOutcome } from '../engine.ts';
import { DEFAULT_ENGINE_OPTIONS, type EngineOptions } from '../options.ts';
import { parseExpr } from '../parse/parse.ts';
import { printExpr } from '../parse/print.ts';
import type { SeriesNotation } from '../parse/series-notation.ts';
import type { ResultSeries } from '../value.ts';
import { toCustomBuckets } from './custom-buckets.ts';
import { pinToTime } from './at-rewrite.ts';
import { checkSorted, compareAnnotations, compareResult, compareVector, isOrdered } from './compare.ts';
import { textMatches } from './expectation.ts';
import { MemoryStorage } from './memory-storage.ts';
import { parseScript, type Command, type EvalCommand, type LoadCommand } from './script.ts';

/** The settings Prometheus' own scripts are written for: everything experimental is on. */
export const SCRIPT_ENGINE_OPTIONS: EngineOptions = {
  ...DEFAULT_ENGINE_OPTIONS,
  parser: { experimentalFunctions: true, durationExpressions: true, extendedRangeSelectors: true, fillModifiers: true },
  samplesMax: 10_000,
  timeoutMs: 100_000,
  delayedNameRemoval: true,
};

/** What became of one case, or of a command that failed; `line` counts from 1. */
export interface CaseOutcome {
  readonly line: number;
  /** '' where the command has none. */
  readonly query: string;
  readonly ok: boolean;
  /** What was wrong; '' when nothing was. */
  readonly message: string;
}

/**
 * Runs a script in the language of Prometheus' promqltest. Every `eval` is a case; a line of a `load` that is not
 * understood is a failed one, and the others are stored. An instant case is run again with its selectors pinned to its
 * time at other times, and as the middle of a range query; all must agree.
 */
export async function runScript(text: string, engine: Engine, control: QueryControl): Promise<CaseOutcome[]> {
  const runner = new ScriptRunner(engine, control);
  const outcomes: CaseOutcome[] = [];
  for (const command of parseScript(text)) outcomes.push(...(await runner.run(command)));
  return outcomes;
}

const MINUTE_MS = 60_000;
/** Their values depend on the range of the query, so a range query around an instant one may differ from it. */
const RANGE_DEPENDENT = /\b(?:start|end|range|step)\s*\(/i;

class ScriptRunner {
  readonly #engine: Engine;
  readonly #control: QueryControl;
  readonly #storage = new MemoryStorage();

  constructor(engine: Engine, control: QueryControl) {
    this.#engine = engine;
    this.#control = control;
  }

  async run(command: Command): Promise<CaseOutcome[]> {
    switch (command.type) {
      case 'clear':
        this.#storage.clear();
        return [];
      case 'load':
        return this.#load(command);
      case 'eval': {
        const fault = await this.#evaluate(command);
        return [{ line: command.line, query: command.query, ok: fault === undefined, message: fault ?? '' }];
      }
      case 'fault':
        return [failedCommand(command.line, command.message)];
      default:
        return unreachable(command);
    }
  }

  #load(command: LoadCommand): CaseOutcome[] {
    const failed = command.faults.map(({ line, message }) => failedCommand(line, message));
    // Of two lines for one series in one command the last counts.
    const byLabels = new Map(command.series.map((series) => [series.labels.key(), series]));
    for (const series of byLabels.values()) {
      try {
        this.#store(series, command.stepMs);
      } catch (error) {
        failed.push(failedCommand(command.line, errorText(error)));
      }
    }
    if (!command.withNhcb) return failed;
    try {
      for (const { labels, histograms } of toCustomBuckets(byLabels.values())) {
        const values = Array.from(histograms, (histogram) =>
          histogram ? { histogram, hasHint: false } : ('absent' as const),
        );
        this.#store({ labels, values }, command.stepMs);
      }
    } catch (error) {
      failed.push(failedCommand(command.line, errorText(error)));
    }
    return failed;
  }

  #store({ labels, values }: SeriesNotation, stepMs: number): void {
    const times: number[] = [];
    const numbers: number[] = [];
    const stale: boolean[] = [];
    const histograms: (FloatHistogram | undefined)[] = [];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === 'absent') continue;
      times.push(i * stepMs);
      numbers.push(typeof value === 'number' ? value : NaN);
      stale.push(value === 'stale');
      histograms.push(typeof value === 'object' ? value.histogram : undefined);
    }
    this.#storage.add(labels, times, numbers, stale, histograms);
  }

  async #evaluate(command: EvalCommand): Promise<string | undefined> {
    if (command.mode === 'range') {
      const { query, startMs, endMs, stepMs } = command;
      return this.#check(command, 'range', () => this.#range(query, startMs, endMs, stepMs));
    }
    for (const { query, timeMs } of variantsOf(command)) {
      const fault = await this.#evaluateInstant(command, query, timeMs);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  async #evaluateInstant(command: EvalCommand, query: string, timeMs: TimestampMs): Promise<string | undefined> {
    const place = `${query} at ${timeMs}`;
    let outcome: QueryOutcome | undefined;
    const fault = await this.#check(command, place, async () => {
      outcome = await this.#engine.instant({ query, timeMs }, this.#storage, this.#control);
      return outcome;
    });
    if (fault !== undefined || !outcome) return fault;
    if (command.expectsRangeVector || command.string !== undefined || isOrdered(command)) return undefined;
    if (RANGE_DEPENDENT.test(query)) return undefined;
    return this.#evaluateAsRange(command, query, timeMs, outcome);
  }

  /** The middle point of a range query must be what the instant query gave. */
  async #evaluateAsRange(
    command: EvalCommand,
    query: string,
    timeMs: TimestampMs,
    instant: QueryOutcome,
  ): Promise<string | undefined> {
    try {
      const { result } = await this.#range(query, timeMs - MINUTE_MS, timeMs + MINUTE_MS, MINUTE_MS);
      if (result.type !== 'matrix') return `${query} in range mode: expected a matrix, got a ${result.type}`;
      const middle = result.series.flatMap((series) => pointAt(series, timeMs));
      const fault =
        checkSorted(result.series) ??
        (instant.result.type === 'scalar'
          ? compareResult(command, { type: 'scalar', timeMs, value: middle[0]?.values[0] ?? NaN })
          : compareVector(command, middle));
      return fault === undefined ? undefined : `${query} at ${timeMs} in range mode: ${fault}`;
    } catch (error) {
      return `${query} at ${timeMs} in range mode: ${textOf(error)}`;
    }
  }

  #range(query: string, startMs: TimestampMs, endMs: TimestampMs, stepMs: number): Promise<QueryOutcome> {
    return this.#engine.range({ query, startMs, endMs, stepMs }, this.#storage, this.#control);
  }

  async #check(
    command: EvalCommand,
    place: string,
    evaluate: () => Promise<QueryOutcome>,
  ): Promise<string | undefined> {
    const failure = command.expectations.filter(({ kind }) => kind === 'fail');
    try {
      const outcome = await evaluate();
      if (failure.length > 0) return `${place}: expected error but got none`;
      const fault = compareAnnotations(command, outcome) ?? compareResult(command, outcome.result);
      return fault === undefined ? undefined : `${place}: ${fault}`;
    } catch (error) {
      const text = textOf(error);
      if (failure.length === 0) return `${place}: ${text}`;
      const unlike = failure.find(({ match }) => !textMatches(match, text));
      return unlike
        ? `${place}: expected error matching ${JSON.stringify(unlike.match?.text)}, but got: ${text}`
        : undefined;
    }
  }
}

function failedCommand(line: number, message: string): CaseOutcome {
  return { line, query: '', ok: false, message };
}

/** The message of an error that a query may end with; our own bugs are told with their stack. */
function textOf(error: unknown): string {
  if (error instanceof CodedError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : errorText(error);
}

interface Variant {
  readonly query: string;
  readonly timeMs: TimestampMs;
}

/** The case as written, and pinned by `@` at other times. */
function variantsOf({ query, endMs: timeMs }: EvalCommand): Variant[] {
  const written = { query, timeMs };
  let pinned: string | undefined;
  try {
    const expr = pinToTime(parseExpr(query, SCRIPT_ENGINE_OPTIONS.parser), timeMs);
    pinned = expr && printExpr(expr);
  } catch (error) {
    // What is not PromQL is run as written, to see the error.
    if (!(error instanceof CodedError)) throw error;
  }
  if (pinned === undefined) return [written];
  const text = pinned;
  const times = timeMs === 0 ? [-1000, 0, 1000] : [-10 * timeMs, 0, Math.trunc(timeMs / 5), timeMs, 10 * timeMs];
  return [written, ...times.map((time) => ({ query: text, timeMs: time }))];
}

function pointAt({ labels, times, values, histograms }: ResultSeries, timeMs: TimestampMs): ResultSeries[] {
  const index = times.indexOf(timeMs);
  if (index < 0) return [];
  const place = [index, index + 1] as const;
  return [
    {
      labels,
      times: times.slice(...place),
      values: values.slice(...place),
      histograms: histograms?.slice(...place),
    },
  ];
}
