// hot path: operators between a vector and a scalar, as functions of each sample.
import type { BinaryOp } from '../parse/ast.ts';
import { ARITHMETIC, COMPARISONS } from './binary.ts';
import { combineSamples } from './histogram-binary.ts';
import type { HistogramNotes } from '../operator/histogram-notes.ts';
import type { HistogramMap, MapKernel } from './map-function.ts';

export interface ScalarBinaryOptions {
  readonly op: BinaryOp;
  readonly bool: boolean;
  /** The scalar is the left operand. */
  readonly scalarIsLeft: boolean;
}

/** The same for samples that are histograms. With `bool` no operator is defined. */
export function scalarHistogramMap({ op, scalarIsLeft }: ScalarBinaryOptions, notes: HistogramNotes): HistogramMap {
  return (histogram, step, params) => {
    const scalar = params[0]![step]!;
    const result = scalarIsLeft
      ? combineSamples(op, scalar, histogram, notes)
      : combineSamples(op, histogram, scalar, notes);
    return typeof result === 'boolean' ? undefined : result;
  };
}

/** The scalar is the only parameter of the kernel. A comparison without bool keeps the vector's sample. */
export function scalarBinaryKernel({ op, bool, scalarIsLeft }: ScalarBinaryOptions): MapKernel {
  const arithmetic = ARITHMETIC.get(op);
  if (arithmetic !== undefined) {
    return ({ values, base, params, stepTimes }) => {
      const scalars = params[0]!;
      for (let i = 0; i < stepTimes.length; i++) {
        const x = values[base + i]!;
        values[base + i] = scalarIsLeft ? arithmetic(scalars[i]!, x) : arithmetic(x, scalars[i]!);
      }
    };
  }
  const holds = COMPARISONS.get(op);
  // What is left are the trim operators: two floats have no result.
  if (holds === undefined) return ({ present, base, stepTimes }) => void present.fill(0, base, base + stepTimes.length);
  return ({ values, present, base, params, stepTimes }) => {
    const scalars = params[0]!;
    for (let i = 0; i < stepTimes.length; i++) {
      const x = values[base + i]!;
      const isTrue = scalarIsLeft ? holds(scalars[i]!, x) : holds(x, scalars[i]!);
      if (bool) values[base + i] = isTrue ? 1 : 0;
      else if (!isTrue) present[base + i] = 0;
    }
  };
}
