import { isExpectCommand, parseExpectation, type Expectation } from './expectation.ts';
import { parseDuration, type DurationMs, type TimestampMs } from '../../model/time.ts';
import { CodedError, errorText } from '../../util/errors.ts';
import { unquote } from '../parse/strings.ts';
import { parseSeriesNotation, type SeriesNotation } from '../parse/series-notation.ts';

// The script language of Prometheus' promqltest: `load`, `clear` and `eval` commands, each ended by an empty line.
// A command that is not understood is kept with its fault, so that the others of the file still run.

export interface LoadCommand {
  readonly type: 'load';
  readonly line: number;
  readonly stepMs: DurationMs;
  /** `load_with_nhcb`: also store classic histograms as native ones. */
  readonly withNhcb: boolean;
  readonly series: readonly SeriesNotation[];
  /** Lines that are not understood. */
  readonly faults: readonly RowFault[];
}

interface RowFault {
  readonly line: number;
  readonly message: string;
}

/** A result line and its position among them, from 1. */
export interface ExpectedSeries extends SeriesNotation {
  readonly position: number;
}

export interface EvalCommand {
  readonly type: 'eval';
  readonly line: number;
  readonly query: string;
  readonly mode: 'instant' | 'range';
  /** Of an instant query all three are the evaluation time and the step 0, unless a range vector is expected. */
  readonly startMs: TimestampMs;
  readonly endMs: TimestampMs;
  readonly stepMs: DurationMs;
  readonly expectations: readonly Expectation[];
  readonly series: readonly ExpectedSeries[];
  readonly scalar: number | undefined;
  readonly string: string | undefined;
  readonly expectsRangeVector: boolean;
}

export type Command =
  | LoadCommand
  | EvalCommand
  | { readonly type: 'clear'; readonly line: number }
  | { readonly type: 'fault'; readonly line: number; readonly message: string };

/** Reads a whole script; lines count from 1. */
export function parseScript(text: string): Command[] {
  const lines = text.split('\n').map((line) => {
    const trimmed = line.trim();
    return trimmed.startsWith('#') ? '' : trimmed;
  });
  const commands: Command[] = [];
  let i = 0;
  while (i < lines.length) {
    if (lines[i] === '') {
      i++;
      continue;
    }
    const block = readBlock(lines, i);
    commands.push(parseCommand(block, i + 1));
    i += block.length;
  }
  return commands;
}

/** `clear` is one line; other commands go on to an empty line. */
function readBlock(lines: readonly string[], start: number): string[] {
  const word = commandWord(lines[start]!);
  if (!word.startsWith('load') && !word.startsWith('eval')) return [lines[start]!];
  let end = start;
  while (end < lines.length && lines[end] !== '') end++;
  return lines.slice(start, end);
}

function commandWord(line: string): string {
  return line.split(/[\t ]+/, 1)[0]!.toLowerCase();
}

function parseCommand(block: readonly string[], line: number): Command {
  const word = commandWord(block[0]!);
  try {
    if (word === 'clear') return { type: 'clear', line };
    if (word.startsWith('load')) return parseLoad(block, line);
    if (word.startsWith('eval')) return parseEval(block, line);
    throw new CodedError('bad_data', `invalid command "${block[0]}"`);
  } catch (error) {
    return { type: 'fault', line, message: errorText(error) };
  }
}

const LOAD = /^load(_with_nhcb)?\s+(\S+)$/;
const START_TIMES = /^(?:[A-Za-z_:][\w:]*)?(?:\{.*\})?@st\s/;

function parseLoad(block: readonly string[], line: number): LoadCommand {
  const match = LOAD.exec(block[0]!);
  if (!match) throw new CodedError('bad_data', 'invalid load command: want load[_with_nhcb] <step>');
  const series: SeriesNotation[] = [];
  const faults: RowFault[] = [];
  for (let i = 1; i < block.length; i++) {
    try {
      if (START_TIMES.test(block[i]!)) throw new CodedError('bad_data', 'start timestamps are not stored');
      series.push(parseSeriesNotation(block[i]!));
    } catch (error) {
      faults.push({ line: line + i, message: errorText(error) });
    }
  }
  return { type: 'load', line, stepMs: parseDuration(match[2]!), withNhcb: match[1] !== undefined, series, faults };
}

const EVAL_INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)$/;
const EVAL_RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;
const RANGE_VECTOR = /^expect range vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/;
const STRING = /^expect string\s+(.+)$/;
const LEGACY_FAIL = /^expected_fail_(message|regexp)\s+(.*)$/;
const NUMBER = /^[+-]?(?:\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|0x[\da-f]+|inf|nan)$/i;

interface EvalDraft {
  startMs: TimestampMs;
  endMs: TimestampMs;
  stepMs: DurationMs;
  readonly expectations: Expectation[];
  readonly series: ExpectedSeries[];
  scalar: number | undefined;
  string: string | undefined;
  expectsRangeVector: boolean;
}

function parseEval(block: readonly string[], line: number): EvalCommand {
  const instant = EVAL_INSTANT.exec(block[0]!);
  const range = instant ? null : EVAL_RANGE.exec(block[0]!);
  if (!instant && !range) {
    const wanted = "'eval instant at <time> <query>' or 'eval range from <start> to <end> step <step> <query>'";
    throw new CodedError('bad_data', `invalid evaluation command: want ${wanted}`);
  }
  const draft: EvalDraft = {
    startMs: parseDuration((instant ?? range)![2]!),
    endMs: parseDuration(instant ? instant[2]! : range![3]!),
    stepMs: range ? parseDuration(range[4]!) : 0,
    expectations: [],
    series: [],
    scalar: undefined,
    string: undefined,
    expectsRangeVector: false,
  };
  const legacy = (instant ?? range)![1];
  if (legacy !== undefined) draft.expectations.push({ kind: legacy as Expectation['kind'], match: undefined });
  for (const row of block.slice(1)) readEvalRow(draft, row);
  const query = instant ? instant[3]! : range![5]!;
  const mode = instant ? 'instant' : 'range';
  checkEval(draft, mode);
  return { type: 'eval', line, query, mode, ...draft };
}

function readEvalRow(draft: EvalDraft, row: string): void {
  const range = RANGE_VECTOR.exec(row);
  const string = STRING.exec(row);
  const legacy = LEGACY_FAIL.exec(row);
  if (range) {
    draft.startMs = parseDuration(range[1]!);
    draft.endMs = parseDuration(range[2]!);
    draft.stepMs = parseDuration(range[3]!);
    draft.expectsRangeVector = true;
  } else if (string) {
    draft.string = unquote(string[1]!);
  } else if (legacy) {
    const kind = legacy[1] === 'message' ? 'msg' : 'regex';
    draft.expectations.push(parseExpectation(`expect fail ${kind}: ${legacy[2]!}`));
  } else if (isExpectCommand(row)) {
    draft.expectations.push(parseExpectation(row));
  } else if (NUMBER.test(row)) {
    draft.scalar = parseScalar(row);
  } else {
    draft.series.push({ ...parseSeriesNotation(row), position: draft.series.length + 1 });
  }
}

function parseScalar(text: string): number {
  const number = parseSeriesNotation(`_ ${text}`).values[0];
  return number as number;
}

function checkEval(draft: EvalDraft, mode: 'instant' | 'range'): void {
  if (mode === 'instant' && !draft.expectsRangeVector && draft.series.some(({ values }) => values.length > 1)) {
    const advice = "consider using 'expect range vector' directive to enable a range vector result";
    throw new CodedError('bad_data', `expecting multiple values in instant evaluation not allowed. ${advice}`);
  }
  const fails = draft.expectations.filter(({ kind, match }) => kind === 'fail' && match !== undefined);
  if (fails.length > 1)
    throw new CodedError('bad_data', 'invalid expect lines, multiple expect fail lines are not allowed');
}
