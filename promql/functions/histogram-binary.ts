import type { FloatHistogram } from '../../model/float-histogram.ts';
import { addHistograms, subtractHistograms } from '../../model/histogram-arithmetic.ts';
import { trimHistogram } from '../../model/histogram-trim.ts';
import type { HistogramNotes, SampleType } from '../operator/histogram-notes.ts';
import type { BinaryOp } from '../parse/ast.ts';

export type Sample = number | FloatHistogram;

function typeOfSample(sample: Sample): SampleType {
  return typeof sample === 'number' ? 'float' : 'histogram';
}

/**
 * A binary operator where an operand is a histogram: a sample, a truth value of a comparison, or undefined where the
 * operator is not defined for the two, which is noted.
 */
export function combineSamples(
  op: BinaryOp,
  left: Sample,
  right: Sample,
  notes: HistogramNotes,
): Sample | boolean | undefined {
  if (typeof left !== 'number' && typeof right !== 'number') {
    if (op === '==') return left.equals(right);
    if (op === '!=') return !left.equals(right);
    if (op === '+' || op === '-') return combineHistograms(op, left, right, notes);
  } else if (typeof left !== 'number' && typeof right === 'number') {
    if (op === '*') return left.scale(right).compact();
    if (op === '/') return left.divide(right).compact();
    if (op === '</') return trimHistogram(left, right, true);
    if (op === '>/') return trimHistogram(left, right, false);
  } else if (typeof left === 'number' && typeof right !== 'number') {
    if (op === '*') return right.scale(left).compact();
  }
  notes.incompatibleTypes(typeOfSample(left), op, typeOfSample(right));
  return undefined;
}

function combineHistograms(
  op: '+' | '-',
  left: FloatHistogram,
  right: FloatHistogram,
  notes: HistogramNotes,
): FloatHistogram | undefined {
  const combined = op === '+' ? addHistograms(left, right) : subtractHistograms(left, right);
  if (!combined) {
    notes.incompatibleLayouts(op);
    return undefined;
  }
  const operation = op === '+' ? 'addition' : 'subtraction';
  // As in Prometheus a collision leaves no result.
  if (combined.hintsCollide) {
    notes.resetsCollide(operation);
    return undefined;
  }
  if (combined.boundsReconciled) notes.boundsReconciled(operation);
  const result = combined.histogram.compact();
  return op === '+' ? result : result.withHint('gauge');
}
