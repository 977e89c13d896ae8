// hot path: one row of an operator between two vectors.
import { ARITHMETIC, COMPARISONS } from '../functions/binary.ts';
import type { BinaryOp } from '../parse/ast.ts';
import { combineSamples } from '../functions/histogram-binary.ts';
import type { HistogramNotes } from './histogram-notes.ts';
import { histogramsOf, type Batch, type HistogramColumn } from './operator.ts';

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

export interface MixedOperands extends RowOperands {
  readonly leftHistograms: HistogramColumn | undefined;
  readonly rightHistograms: HistogramColumn | undefined;
  readonly options: { readonly op: BinaryOp; readonly bool: boolean; readonly notes: HistogramNotes };
}

/** Combines a row in which some samples are histograms; `combine` does the steps at which both are floats. */
export function combineMixed(out: Batch, base: number, combine: CombineRow, operands: MixedOperands): void {
  const { values, present, stepCount } = out;
  const { op, bool, notes } = operands.options;
  const wasPresent = present.slice(base, base + stepCount);
  combine(out, base, operands);
  for (let i = 0; i < stepCount; i++) {
    const leftCell = operands.leftBase + i;
    const rightCell = operands.rightBase + i;
    const left = operands.leftHistograms?.[leftCell];
    const right = operands.rightHistograms?.[rightCell];
    if (wasPresent[i] === 0 || (left === undefined && right === undefined)) continue;
    const result = combineSamples(op, left ?? operands.left[leftCell]!, right ?? operands.right[rightCell]!, notes);
    const isKept = result !== undefined && (result !== false || bool);
    present[base + i] = isKept ? 1 : 0;
    if (!isKept) continue;
    if (typeof result === 'number') values[base + i] = result;
    else if (typeof result === 'object') histogramsOf(out)[base + i] = result;
    else if (bool) values[base + i] = result ? 1 : 0;
    else histogramsOf(out)[base + i] = left;
  }
}
