import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import { hashLabels } from '../../promql/functions/label-hash.ts';
import { xxHash64 } from '../../util/hash.ts';

const VECTORS = '../shared/conformance/tsdb/label-hashes.json';

const hex = (bytes: Uint8Array): string => {
  const { hi, lo } = xxHash64(bytes);
  return hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
};

// Published values of the reference implementation: short, one word, one stripe and more.
test.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
  ['message digest', '066ed728fceeb3be'],
  ['abcdefghijklmnopqrstuvwxyz', 'cfe1f278fa89835c'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 'aaa46907d3047814'],
])('xxHash64 of "%s"', (text, expected) => {
  expect(hex(new TextEncoder().encode(text))).toBe(expected);
});

test.skipIf(!existsSync(VECTORS))('label sets hash as in Prometheus (skipped where ../shared is not there)', () => {
  const { vectors } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
    vectors: { hash: string; labels: Record<string, string> }[];
  };
  expect(vectors.length).toBeGreaterThan(3);
  for (const { hash, labels } of vectors) {
    const { hi, lo } = hashLabels(Labels.fromObject(labels));
    expect(((BigInt(hi) << 32n) | BigInt(lo)).toString()).toBe(hash);
  }
});
