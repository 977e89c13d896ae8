import { EmbeddedActionsParser, type IToken } from 'chevrotain';
import type { DurationExpr } from './ast.ts';
import type { DurationBuilder } from './duration-builder.ts';
import { OperatorChain, PRECEDENCE } from './operator-chain.ts';
import { lexFault } from './syntax-error.ts';
import * as T from './tokens.ts';

/** The rules of durations, `[5m]` and `offset -step()`. A part of PromqlParser (grammar.ts), apart for its length. */
export class DurationGrammar extends EmbeddedActionsParser {
  protected durations!: DurationBuilder;
  protected text = '';

  constructor() {
    super(T.ALL_TOKENS, { maxLookahead: 1, recoveryEnabled: false, errorMessageProvider: SILENT });
  }

  /** Prometheus looks one token ahead before it judges what it has read, so a fault of the lexer there comes first. */
  protected failAtFault(): void {
    const next = this.LA(1);
    if (next.tokenType === T.LexError) throw lexFault(next, this.text);
  }

  protected readonly rangeDuration = this.RULE('rangeDuration', (): DurationExpr => {
    const duration = this.SUBRULE(this.duration);
    return this.ACTION(() => {
      this.failAtFault();
      return this.durations.positive(duration);
    });
  });

  protected readonly stepDuration = this.RULE('stepDuration', (): DurationExpr => {
    const duration = this.SUBRULE(this.duration);
    return this.ACTION(() => {
      this.failAtFault();
      return this.durations.positive(duration);
    });
  });

  protected readonly duration = this.RULE('duration', (): DurationExpr => {
    const chain = this.ACTION(() => new OperatorChain<DurationExpr, IToken>(this.durations));
    this.MANY1(() => {
      const sign = this.CONSUME1(T.Sign);
      this.ACTION(() => chain.sign(sign));
    });
    const first = this.SUBRULE1(this.durationOperand);
    this.ACTION(() => chain.operand(first));
    this.SUBRULE(this.durationTail, { ARGS: [chain] });
    return this.ACTION(() => chain.finish());
  });

  protected readonly durationTail = this.RULE('durationTail', (chain: OperatorChain<DurationExpr, IToken>) => {
    this.MANY1(() => {
      const op = this.CONSUME1(T.DurationOp);
      this.ACTION(() => chain.operator(op, PRECEDENCE[op.image]!));
      this.MANY2(() => {
        const sign = this.CONSUME2(T.Sign);
        this.ACTION(() => chain.sign(sign));
      });
      const operand = this.SUBRULE(this.durationOperand);
      this.ACTION(() => chain.operand(operand));
    });
  });

  protected readonly durationOperand = this.RULE('durationOperand', (): DurationExpr =>
    this.OR([
      { ALT: () => this.SUBRULE(this.durationAtom, { ARGS: [undefined] }) },
      { ALT: () => this.SUBRULE(this.durationParen) },
    ]),
  );

  protected readonly durationParen = this.RULE('durationParen', (): DurationExpr => {
    const open = this.CONSUME(T.LeftParen);
    const inner = this.SUBRULE(this.duration);
    const close = this.CONSUME(T.RightParen);
    return this.ACTION(() => this.durations.paren(open, inner, close));
  });

  protected readonly durationAtom = this.RULE('durationAtom', (sign: IToken | undefined): DurationExpr =>
    this.OR([
      {
        ALT: () => {
          const token = this.CONSUME(T.NumberOrDuration);
          return this.ACTION(() => this.durations.literal(token));
        },
      },
      {
        ALT: () => {
          const name = this.CONSUME(T.DurationCall);
          this.CONSUME1(T.LeftParen);
          const close = this.CONSUME1(T.RightParen);
          return this.ACTION(() => this.durations.call(name, close, sign));
        },
      },
      {
        ALT: () => {
          const name = this.CONSUME(T.DurationPair);
          this.CONSUME2(T.LeftParen);
          const lhs = this.SUBRULE1(this.duration);
          this.CONSUME(T.Comma);
          const rhs = this.SUBRULE2(this.duration);
          const close = this.CONSUME2(T.RightParen);
          return this.ACTION(() => this.durations.pair(name, [lhs, rhs], close));
        },
      },
    ]),
  );

  /** One signed value: `x offset 5m - y` subtracts y. Only what starts with a parenthesis goes on, as in Prometheus. */
  protected readonly offsetDuration = this.RULE('offsetDuration', (): DurationExpr => {
    const signs: IToken[] = [];
    this.MANY(() => signs.push(this.CONSUME(T.Sign)));
    const value = this.OR([
      { ALT: () => this.SUBRULE(this.durationAtom, { ARGS: [signs[0]] }) },
      {
        ALT: () => {
          const chain = this.ACTION(() => new OperatorChain<DurationExpr, IToken>(this.durations));
          const paren = this.SUBRULE(this.durationParen);
          this.ACTION(() => chain.operand(paren));
          this.OPTION({
            GATE: () => signs.length === 0,
            DEF: () => this.SUBRULE(this.durationTail, { ARGS: [chain] }),
          });
          return this.ACTION(() => chain.finish());
        },
      },
    ]);
    return this.ACTION(() => signs.reduceRight((operand, sign) => this.durations.unary(sign, operand), value));
  });
}

/** Messages are worded in syntax-error.ts, from where the error arose. */
const SILENT = {
  buildMismatchTokenMessage: () => '',
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: (options: { customUserDescription?: string | undefined }) =>
    options.customUserDescription ?? '',
  buildEarlyExitMessage: () => '',
};
