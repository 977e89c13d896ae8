import { DATE_FUNCTIONS } from './date.ts';
import type { MapKernel } from './map-function.ts';
import { MATH_FUNCTIONS } from './math.ts';
import { TRIG_FUNCTIONS } from './trig.ts';

/** Functions of an instant vector and scalars that work on each sample by itself, by name. */
export const MAP_FUNCTIONS: ReadonlyMap<string, MapKernel> = new Map([
  ...MATH_FUNCTIONS,
  ...TRIG_FUNCTIONS,
  ...DATE_FUNCTIONS,
]);

/** Calendar functions work on the time of the step when they are given no argument. */
export const DATE_FUNCTION_NAMES: ReadonlySet<string> = new Set(DATE_FUNCTIONS.map(([name]) => name));
