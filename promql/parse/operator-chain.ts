/** What a chain builds its nodes with. */
export interface ChainBuilder<Node, Op> {
  unary(op: Op, operand: Node): Node;
  binary(op: Op, lhs: Node, rhs: Node): Node;
  /** Throws: signs and powers, which nest to the right, are more than `PENDING_MAX`. */
  failTooDeep(op: Op): never;
}

/** Operators that wait for their right side. Only signs and `^` pile up. */
const PENDING_MAX = 1000;

interface Pending<Op> {
  readonly op: Op;
  readonly precedence: number;
  readonly isUnary: boolean;
}

const UNARY_PRECEDENCE = 5;
const POWER_PRECEDENCE = 6;

/** Low binds loosest; all are left-associative but `^`. A unary sign stands on the level of `*`: `-a^b` is `-(a^b)`. */
export const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '</': 3,
  '>/': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  atan2: 5,
  '^': POWER_PRECEDENCE,
};

/**
 * Shapes a flat run of operands, signs and operators by precedence, without recursion, so that a chain of thousands of
 * operands costs no stack. Nodes are built in the order in which a shift-reduce parser would build them.
 */
export class OperatorChain<Node, Op> {
  readonly #builder: ChainBuilder<Node, Op>;
  readonly #operands: Node[] = [];
  readonly #pending: Pending<Op>[] = [];

  constructor(builder: ChainBuilder<Node, Op>) {
    this.#builder = builder;
  }

  sign(op: Op): void {
    this.#push({ op, precedence: UNARY_PRECEDENCE, isUnary: true });
  }

  operand(node: Node): void {
    this.#operands.push(node);
  }

  operator(op: Op, precedence: number): void {
    this.#reduce(precedence === POWER_PRECEDENCE ? precedence + 1 : precedence);
    this.#push({ op, precedence, isUnary: false });
  }

  finish(): Node {
    this.#reduce(0);
    return this.#operands[0]!;
  }

  #push(pending: Pending<Op>): void {
    if (this.#pending.length === PENDING_MAX) this.#builder.failTooDeep(pending.op);
    this.#pending.push(pending);
  }

  /** Builds what binds at least as tight as `precedence`. */
  #reduce(precedence: number): void {
    const operands = this.#operands;
    let top = this.#pending.at(-1);
    while (top && top.precedence >= precedence) {
      this.#pending.pop();
      const rhs = operands.pop()!;
      if (top.isUnary) operands.push(this.#builder.unary(top.op, rhs));
      else operands.push(this.#builder.binary(top.op, operands.pop()!, rhs));
      top = this.#pending.at(-1);
    }
  }
}
