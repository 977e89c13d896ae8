import type { Matcher } from '../../model/matcher.ts';
import { DEFAULT_PARSER_OPTIONS, type ParserOptions } from '../options.ts';
import type { Expr, VectorSelector } from './ast.ts';
import { checkExpr } from './check.ts';
import { ParseError } from './errors.ts';
import { PromqlParser } from './grammar.ts';
import { lex } from './lex.ts';
import { syntaxError } from './syntax-error.ts';

let shared: PromqlParser | undefined;

/**
 * Parses and type-checks a query. Throws ParseError with Prometheus' message and position. Text, nesting and operands
 * are limited (lex.ts, to-ast.ts); nesting at the limit needs a deeper stack than the default, which query workers have.
 */
export function parseExpr(text: string, options: ParserOptions): Expr {
  const tokens = lex(text);
  if (tokens.length === 0) throw new ParseError('no expression found in input', undefined, text);
  const parser = parserFor();
  const builder = parser.load(tokens, text, options);
  const expr = run(parser, text, () => parser.expression());
  checkExpr(expr, text, builder.misplacedMatchings);
  return expr;
}

/** The matchers of a selector as in `match[]`, the metric name last. Throws ParseError. */
export function parseSelector(text: string): readonly Matcher[] {
  const parser = parserFor();
  parser.load(lex(text), text, DEFAULT_PARSER_OPTIONS);
  const selector: VectorSelector = run(parser, text, () => parser.selector());
  return selector.matchers;
}

/** One per thread: building it costs milliseconds. */
function parserFor(): PromqlParser {
  shared ??= new PromqlParser();
  return shared;
}

function run<T>(parser: PromqlParser, text: string, rule: () => T): T {
  const result = runRule(rule, text);
  const error = parser.errors[0];
  if (error) throw syntaxError(error, text);
  return result;
}

/** Nesting within the limit may still be too much for the stack of a thread that was not meant to parse. */
function runRule<T>(rule: () => T, text: string): T {
  try {
    return rule();
  } catch (error) {
    if (error instanceof RangeError)
      throw new ParseError('expression is nested too deeply for this thread', undefined, text);
    throw error;
  }
}
