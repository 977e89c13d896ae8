// hot path: arithmetic and comparison of two floats.
import type { BinaryOp } from '../parse/ast.ts';

export type ArithmeticFunction = (a: number, b: number) => number;
export type ComparisonFunction = (a: number, b: number) => boolean;

export const ARITHMETIC: ReadonlyMap<BinaryOp, ArithmeticFunction> = new Map<BinaryOp, ArithmeticFunction>([
  ['+', (a, b) => a + b],
  ['-', (a, b) => a - b],
  ['*', (a, b) => a * b],
  ['/', (a, b) => a / b],
  ['%', (a, b) => a % b],
  ['^', power],
  ['atan2', Math.atan2],
]);

export const COMPARISONS: ReadonlyMap<BinaryOp, ComparisonFunction> = new Map<BinaryOp, ComparisonFunction>([
  ['==', (a, b) => a === b],
  ['!=', (a, b) => a !== b],
  ['<', (a, b) => a < b],
  ['<=', (a, b) => a <= b],
  ['>', (a, b) => a > b],
  ['>=', (a, b) => a >= b],
]);

/** C99's pow, as Go has it: JavaScript says NaN for 1 to the power of NaN or infinity, and for -1 to infinity. */
function power(a: number, b: number): number {
  if (a === 1) return 1;
  if (a === -1 && (b === Infinity || b === -Infinity)) return 1;
  return a ** b;
}
