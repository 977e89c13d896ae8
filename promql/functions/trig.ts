import { perSample, type MapKernel } from './map-function.ts';

export const TRIG_FUNCTIONS: readonly (readonly [string, MapKernel])[] = [
  ['sin', perSample(Math.sin)],
  ['cos', perSample(Math.cos)],
  ['tan', perSample(Math.tan)],
  ['asin', perSample(Math.asin)],
  ['acos', perSample(Math.acos)],
  ['atan', perSample(Math.atan)],
  ['sinh', perSample(Math.sinh)],
  ['cosh', perSample(Math.cosh)],
  ['tanh', perSample(Math.tanh)],
  ['asinh', perSample(Math.asinh)],
  ['acosh', perSample(Math.acosh)],
  ['atanh', perSample(Math.atanh)],
  ['deg', perSample((x) => (x * 180) / Math.PI)],
  ['rad', perSample((x) => (x * Math.PI) / 180)],
];
