import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FUNCTION_SIGNATURES, functionSignature } from '../../../promql/functions/signatures.ts';

const file = new URL('../../../../shared/conformance/promql/functions.json', import.meta.url);

test.skipIf(!existsSync(file))('the function table has the signatures of the reference', () => {
  const { functions } = JSON.parse(readFileSync(file, 'utf8')) as { functions: Record<string, unknown>[] };
  const ours = FUNCTION_SIGNATURES.map(({ help: _help, example: _example, ...signature }) => signature);
  expect(ours).toEqual(functions);
});

test('functions are found by name', () => {
  expect(functionSignature('rate')?.args).toEqual(['matrix']);
  expect(functionSignature('RATE')).toBeUndefined();
});
