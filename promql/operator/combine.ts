// hot path: one row of an operator between two vectors.
import { ARITHMETIC, COMPARISONS } from '../functions/binary.ts';
import type { BinaryOp } from '../parse/ast.ts';
import type { Batch } from './operator.ts';

/** The values of both operands, as the query has them left and right. */
export interface RowOperands {
  left: Float64Array;
  leftBase: number;
  right: Float64Array;
  rightBase: number;
}

/** Writes the values of the row at `base` where it is present; a comparison takes away the steps where it is false. */
export type CombineRow = (out: Batch, base: number, operands: RowOperands) => void;

export function combiner(op: BinaryOp, bool: boolean): CombineRow {
  const arithmetic = ARITHMETIC.get(op);
  if (arithmetic !== undefined) {
    return ({ values, stepCount }, base, { left, leftBase, right, rightBase }) => {
      for (let i = 0; i < stepCount; i++) values[base + i] = arithmetic(left[leftBase + i]!, right[rightBase + i]!);
    };
  }
  const holds = COMPARISONS.get(op);
  // What is left are the trim operators: two floats have no result.
  if (holds === undefined) return ({ present, stepCount }, base) => void present.fill(0, base, base + stepCount);
  if (bool) {
    return ({ values, stepCount }, base, { left, leftBase, right, rightBase }) => {
      for (let i = 0; i < stepCount; i++) values[base + i] = holds(left[leftBase + i]!, right[rightBase + i]!) ? 1 : 0;
    };
  }
  return ({ values, present, stepCount }, base, { left, leftBase, right, rightBase }) => {
    for (let i = 0; i < stepCount; i++) {
      const x = left[leftBase + i]!;
      values[base + i] = x;
      if (!holds(x, right[rightBase + i]!)) present[base + i] = 0;
    }
  };
}
