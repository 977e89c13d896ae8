import { tokenMatcher, type IToken } from 'chevrotain';
import type { Matcher } from '../../model/matcher.ts';
import type { ParserOptions } from '../options.ts';
import type { DurationExpr, Expr, VectorMatching, VectorSelector } from './ast.ts';
import { DurationBuilder } from './duration-builder.ts';
import { DurationGrammar } from './grammar-durations.ts';
import { ModifierBuilder } from './modifiers.ts';
import { OperatorChain, PRECEDENCE } from './operator-chain.ts';
import { spanOf } from './spans.ts';
import { AstBuilder, type ChainOp, type Grouping } from './to-ast.ts';
import * as T from './tokens.ts';

// Rules follow Prometheus' grammar; postfix modifiers bind tighter than any operator. A run of operators is one flat
// loop (operator-chain.ts), so only parentheses, calls and aggregations recurse. Texts given as ERR_MSG complete
// "unexpected <token>"; errors without one get theirs from the innermost rule in CONTEXTS (syntax-error.ts).

const IN_MATCHERS = ' in label matching, expected ';
const IN_GROUPING = ' in grouping opts, expected ';

interface MatchingParts {
  card: VectorMatching['card'];
  on: boolean;
  labels: string[];
  include: string[];
  fillLeft: number | undefined;
  fillRight: number | undefined;
}

/** Not re-entrant: `load` it with tokens and builders, call a rule, read `errors`. One per thread, built lazily. */
export class PromqlParser extends DurationGrammar {
  #ast!: AstBuilder;
  #modifiers!: ModifierBuilder;

  constructor() {
    super();
    this.performSelfAnalysis();
  }

  load(tokens: IToken[], text: string, options: ParserOptions): AstBuilder {
    this.input = tokens;
    this.text = text;
    this.#ast = new AstBuilder(text, options);
    this.#modifiers = new ModifierBuilder(text, options);
    this.durations = new DurationBuilder(text, options);
    return this.#ast;
  }

  readonly expression = this.RULE('expression', (): Expr => {
    const chain = this.ACTION(() => new OperatorChain<Expr, ChainOp>(this.#ast));
    this.MANY1(() => {
      const sign = this.CONSUME1(T.Sign);
      this.ACTION(() => chain.sign(sign));
    });
    const first = this.SUBRULE1(this.operand);
    this.ACTION(() => chain.operand(first));
    this.MANY2(() => {
      const token = this.CONSUME2(T.BinaryOp);
      const part = this.SUBRULE(this.operatorModifiers, { ARGS: [token] });
      this.ACTION(() => chain.operator(part, PRECEDENCE[token.image.toLowerCase()]!));
      this.MANY3(() => {
        const sign = this.CONSUME3(T.Sign);
        this.ACTION(() => chain.sign(sign));
      });
      const operand = this.SUBRULE2(this.operand);
      this.ACTION(() => chain.operand(operand));
    });
    return this.ACTION(() => chain.finish());
  });

  private readonly operatorModifiers = this.RULE('operatorModifiers', (token: IToken) => {
    const parts = this.ACTION(newMatching);
    const bool = this.OPTION1(() => this.CONSUME(T.Bool));
    this.OPTION2(() => {
      const keyword = this.OR1([{ ALT: () => this.CONSUME(T.On) }, { ALT: () => this.CONSUME(T.Ignoring) }]);
      const labels = this.SUBRULE1(this.groupingLabels);
      this.ACTION(() => {
        parts.on = keyword.tokenType === T.On;
        parts.labels = labels;
      });
      this.OPTION3(() => this.SUBRULE(this.groupSide, { ARGS: [parts] }));
    });
    this.OPTION4(() => this.SUBRULE(this.fillModifiers, { ARGS: [parts] }));
    return { token, bool: bool !== undefined, matching: parts };
  });

  private readonly groupSide = this.RULE('groupSide', (parts: MatchingParts) => {
    const side = this.OR([{ ALT: () => this.CONSUME(T.GroupLeft) }, { ALT: () => this.CONSUME(T.GroupRight) }]);
    this.ACTION(() => {
      parts.card = side.tokenType === T.GroupLeft ? 'many-to-one' : 'one-to-many';
    });
    this.OPTION(() => {
      const labels = this.SUBRULE(this.groupingLabels);
      this.ACTION(() => {
        parts.include = labels;
      });
    });
  });

  private readonly fillModifiers = this.RULE('fillModifiers', (parts: MatchingParts) => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(T.Fill);
          const value = this.SUBRULE1(this.fillValue);
          this.ACTION(() => Object.assign(parts, { fillLeft: value, fillRight: value }));
        },
      },
      {
        ALT: () => {
          this.CONSUME1(T.FillLeft);
          const fillLeft = this.SUBRULE2(this.fillValue);
          const fillRight = this.OPTION1(() => {
            this.CONSUME1(T.FillRight);
            return this.SUBRULE3(this.fillValue);
          });
          this.ACTION(() => Object.assign(parts, { fillLeft, fillRight }));
        },
      },
      {
        ALT: () => {
          this.CONSUME2(T.FillRight);
          const fillRight = this.SUBRULE4(this.fillValue);
          const fillLeft = this.OPTION2(() => {
            this.CONSUME2(T.FillLeft);
            return this.SUBRULE5(this.fillValue);
          });
          this.ACTION(() => Object.assign(parts, { fillLeft, fillRight }));
        },
      },
    ]);
  });

  private readonly fillValue = this.RULE('fillValue', (): number => {
    this.CONSUME(T.LeftParen);
    const sign = this.OPTION(() => this.CONSUME(T.Sign));
    const token = this.CONSUME(T.NumberOrDuration);
    const value = this.ACTION(() => this.#ast.signedNumber(sign, token));
    this.CONSUME(T.RightParen);
    return value;
  });

  /** A primary with the modifiers behind it. */
  private readonly operand = this.RULE('operand', (): Expr => {
    let expr = this.SUBRULE(this.primary);
    this.MANY(() => {
      expr = this.OR([
        { ALT: () => this.SUBRULE(this.bracketSuffix, { ARGS: [expr] }) },
        { ALT: () => this.SUBRULE(this.offsetSuffix, { ARGS: [expr] }) },
        { ALT: () => this.SUBRULE(this.atSuffix, { ARGS: [expr] }) },
        {
          ALT: () => {
            this.CONSUME(T.Anchored);
            return this.ACTION(() => this.#modifiers.extend(expr, 'anchored'));
          },
        },
        {
          ALT: () => {
            this.CONSUME(T.Smoothed);
            return this.ACTION(() => this.#modifiers.extend(expr, 'smoothed'));
          },
        },
      ]);
    });
    return expr;
  });

  private readonly primary = this.RULE('primary', (): Expr =>
    this.OR([
      { ALT: () => this.SUBRULE(this.named) },
      { ALT: () => this.SUBRULE(this.bareSelector) },
      {
        ALT: () => {
          const token = this.CONSUME(T.NumberOrDuration);
          return this.ACTION(() => this.#ast.number(token));
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(T.StringToken);
          return this.ACTION(() => this.#ast.string(token));
        },
      },
      {
        ALT: () => {
          const open = this.CONSUME(T.LeftParen);
          const expr = this.SUBRULE(this.expression);
          const close = this.CONSUME(T.RightParen);
          return this.ACTION(() => this.#ast.paren(open, expr, close));
        },
      },
    ]),
  );

  /** What starts with a word: an aggregation, a call or a selector. */
  private readonly named = this.RULE('named', (): Expr => {
    const name = this.CONSUME(T.MetricName);
    return this.OR({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        {
          GATE: () => tokenMatcher(name, T.AggregateOp),
          ALT: () => this.SUBRULE(this.aggregation, { ARGS: [name] }),
        },
        {
          GATE: () => tokenMatcher(name, T.FunctionName),
          ALT: () => {
            const args = this.SUBRULE(this.arguments);
            const close = this.LA(0);
            return this.ACTION(() => this.#ast.call(name, args, close));
          },
        },
        { ALT: () => this.SUBRULE(this.selectorRest, { ARGS: [name] }) },
      ],
    });
  });

  private readonly aggregation = this.RULE('aggregation', (name: IToken): Expr => {
    let grouping: Grouping | undefined;
    let args: Expr[] = [];
    this.OR([
      {
        ALT: () => {
          grouping = this.SUBRULE1(this.groupingClause);
          args = this.SUBRULE1(this.arguments);
        },
      },
      {
        ALT: () => {
          args = this.SUBRULE2(this.arguments);
          this.OPTION(() => {
            grouping = this.SUBRULE2(this.groupingClause);
          });
        },
      },
    ]);
    const end = this.LA(0);
    return this.ACTION(() => {
      if (!grouping) this.failAtFault();
      return this.#ast.aggregation(name, grouping, args, spanOf(end).end);
    });
  });

  private readonly groupingClause = this.RULE('groupingClause', (): Grouping => {
    const keyword = this.OR([{ ALT: () => this.CONSUME(T.By) }, { ALT: () => this.CONSUME(T.Without) }]);
    const labels = this.SUBRULE(this.groupingLabels);
    return { labels, without: keyword.tokenType === T.Without };
  });

  private readonly groupingLabels = this.RULE('groupingLabels', (): string[] => {
    const labels: string[] = [];
    this.CONSUME(T.LeftParen, { ERR_MSG: `${IN_GROUPING}"("` });
    this.OPTION1({
      GATE: () => this.LA(1).tokenType !== T.RightParen,
      DEF: () => {
        const first = this.SUBRULE1(this.groupingLabel);
        this.ACTION(() => labels.push(first));
        this.MANY({
          GATE: () => this.LA(2).tokenType !== T.RightParen,
          DEF: () => {
            this.CONSUME1(T.Comma);
            const next = this.SUBRULE2(this.groupingLabel);
            this.ACTION(() => labels.push(next));
          },
        });
        this.OPTION2(() => this.CONSUME2(T.Comma));
      },
    });
    const expected = labels.length === 0 ? 'label' : '"," or ")"';
    this.CONSUME(T.RightParen, { ERR_MSG: IN_GROUPING + expected });
    return labels;
  });

  private readonly groupingLabel = this.RULE('groupingLabel', (): string => {
    const token = this.OR({
      ERR_MSG: `${IN_GROUPING}label`,
      DEF: [{ ALT: () => this.CONSUME(T.GroupingLabel) }, { ALT: () => this.CONSUME(T.StringToken) }],
    });
    return this.ACTION(() => this.#ast.groupingLabel(token));
  });

  private readonly arguments = this.RULE('arguments', (): Expr[] => {
    const args: Expr[] = [];
    this.CONSUME(T.LeftParen);
    this.OPTION({
      GATE: () => this.LA(1).tokenType !== T.RightParen,
      DEF: () => {
        const first = this.SUBRULE1(this.expression);
        this.ACTION(() => args.push(first));
        this.MANY(() => {
          const comma = this.CONSUME(T.Comma);
          this.ACTION(() => this.#refuseTrailing(comma));
          const next = this.SUBRULE2(this.expression);
          this.ACTION(() => args.push(next));
        });
      },
    });
    this.CONSUME(T.RightParen);
    return args;
  });

  #refuseTrailing(comma: IToken): void {
    const next = this.LA(1);
    if (next.tokenType === T.LexError || STARTS_EXPRESSION.some((type) => tokenMatcher(next, type))) return;
    throw this.#ast.error('trailing commas not allowed in function call args', spanOf(comma));
  }

  private readonly bareSelector = this.RULE('bareSelector', (): VectorSelector => {
    const open = this.LA(1);
    const matchers = this.SUBRULE(this.matchers);
    const close = this.LA(0);
    return this.ACTION(() => this.#ast.selector(open, '', matchers, close));
  });

  private readonly selectorRest = this.RULE('selectorRest', (name: IToken): VectorSelector => {
    const matchers = this.OPTION(() => this.SUBRULE(this.matchers)) ?? [];
    const close = this.LA(0);
    return this.ACTION(() => this.#ast.selector(name, name.image, matchers, close));
  });

  /** A selector alone, as in `match[]`. */
  readonly selector = this.RULE('selector', (): VectorSelector =>
    this.OR([
      {
        ALT: () => {
          const name = this.CONSUME(T.MetricName);
          return this.SUBRULE(this.selectorRest, { ARGS: [name] });
        },
      },
      { ALT: () => this.SUBRULE(this.bareSelector) },
    ]),
  );

  private readonly matchers = this.RULE('matchers', (): Matcher[] => {
    const matchers: Matcher[] = [];
    this.CONSUME(T.LeftBrace);
    this.OPTION1({
      GATE: () => this.LA(1).tokenType !== T.RightBrace,
      DEF: () => {
        const first = this.SUBRULE1(this.matcher);
        this.ACTION(() => matchers.push(first));
        this.MANY({
          GATE: () => this.LA(2).tokenType !== T.RightBrace,
          DEF: () => {
            this.CONSUME1(T.Comma);
            const next = this.SUBRULE2(this.matcher);
            this.ACTION(() => matchers.push(next));
          },
        });
        this.OPTION2(() => this.CONSUME2(T.Comma));
      },
    });
    const expected = matchers.length === 0 ? 'identifier or "}"' : '"," or "}"';
    this.CONSUME(T.RightBrace, { ERR_MSG: IN_MATCHERS + expected });
    return matchers;
  });

  private readonly matcher = this.RULE('matcher', (): Matcher =>
    this.OR({
      ERR_MSG: `${IN_MATCHERS}identifier or "}"`,
      DEF: [
        {
          ALT: () => {
            const name = this.CONSUME(T.LabelName);
            const op = this.CONSUME1(T.MatchOp, { ERR_MSG: `${IN_MATCHERS}label matching operator` });
            const value = this.CONSUME1(T.StringToken, { ERR_MSG: `${IN_MATCHERS}string` });
            return this.ACTION(() => this.#ast.matcher(name, op, value));
          },
        },
        {
          ALT: () => {
            const name = this.CONSUME2(T.StringToken);
            let op: IToken | undefined;
            let value: IToken | undefined;
            this.OPTION(() => {
              op = this.CONSUME2(T.MatchOp);
              value = this.CONSUME3(T.StringToken, { ERR_MSG: `${IN_MATCHERS}string` });
            });
            return this.ACTION(() => this.#ast.matcher(name, op, value));
          },
        },
      ],
    }),
  );

  /** `[5m]`, `[5m:]`, `[5m:1m]`. */
  private readonly bracketSuffix = this.RULE('bracketSuffix', (expr: Expr): Expr => {
    const open = this.CONSUME(T.LeftBracket);
    const range = this.SUBRULE(this.rangeDuration);
    let step: DurationExpr | undefined;
    let isSubquery = false;
    this.OPTION1(() => {
      this.CONSUME(T.Colon);
      isSubquery = true;
      this.OPTION2({
        GATE: () => this.LA(1).tokenType !== T.RightBracket,
        DEF: () => {
          step = this.SUBRULE(this.stepDuration);
        },
      });
    });
    const close = this.CONSUME(T.RightBracket, { ERR_MSG: bracketContext(isSubquery, step) });
    return this.ACTION(() =>
      isSubquery ? this.#modifiers.subquery(expr, range, step, close) : this.#modifiers.range(expr, open, range, close),
    );
  });

  private readonly offsetSuffix = this.RULE('offsetSuffix', (expr: Expr): Expr => {
    this.CONSUME(T.Offset);
    const offset = this.SUBRULE(this.offsetDuration);
    const end = this.LA(0);
    return this.ACTION(() => this.#modifiers.offset(expr, offset, spanOf(end).end));
  });

  private readonly atSuffix = this.RULE('atSuffix', (expr: Expr): Expr => {
    this.CONSUME(T.At);
    return this.OR([
      {
        ALT: () => {
          const sign = this.OPTION(() => this.CONSUME(T.Sign));
          const token = this.CONSUME(T.NumberOrDuration);
          return this.ACTION(() =>
            this.#modifiers.atTime(expr, this.#ast.signedNumber(sign, token), spanOf(token).end),
          );
        },
      },
      {
        ALT: () => {
          const keyword = this.CONSUME(T.Preprocessor);
          this.CONSUME(T.LeftParen);
          const close = this.CONSUME(T.RightParen);
          const kind = keyword.image.toLowerCase() as 'start' | 'end';
          return this.ACTION(() => this.#modifiers.at(expr, { kind }, spanOf(close).end));
        },
      },
    ]);
  });
}

const STARTS_EXPRESSION = [T.MetricName, T.LeftBrace, T.NumberOrDuration, T.StringToken, T.LeftParen, T.Sign];

function newMatching(): MatchingParts {
  return { card: 'one-to-one', on: false, labels: [], include: [], fillLeft: undefined, fillRight: undefined };
}

function bracketContext(isSubquery: boolean, step: DurationExpr | undefined): string {
  if (!isSubquery) return ' in subquery or range, expected ":" or "]"';
  return ` in subquery selector, expected ${step ? '"]"' : 'number, duration, step(), range(), or "]"'}`;
}
