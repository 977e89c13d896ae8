import { existsSync, readFileSync } from 'node:fs';
import type { ParserOptions } from '../../promql/options.ts';

/** The options under which the reference's parser cases were taken. */
export const CASE_OPTIONS: ParserOptions = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: false,
};

const folder = new URL('../../../shared/conformance/promql/', import.meta.url);

/** False where the reference material is not at hand; tests that need it are skipped then. */
export const hasConformance = existsSync(folder);

export function readConformance<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as T;
}
