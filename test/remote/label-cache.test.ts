import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LabelCache } from '../../remote/label-cache.ts';
import { SimRandom } from '../support/sim-host.ts';

test('finds what was added, by bytes, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 }), (keys) => {
      const cache = new LabelCache(new SimRandom(1));
      const naive = new Map<string, number>();
      for (const bytes of keys) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const key = bytes.join();
        expect(cache.find(view, 0, bytes.length)).toBe(naive.get(key) ?? 0);
        if (naive.has(key)) continue;
        naive.set(key, naive.size + 1);
        cache.add(naive.size);
      }
    }),
    { numRuns: 60, seed: 5 },
  );
});

test('grows, and keeps what it has', () => {
  const cache = new LabelCache(new SimRandom(2));
  const view = new DataView(new ArrayBuffer(16));
  const count = 20_000;
  let mistaken = 0;
  for (let i = 1; i <= count; i++) {
    view.setUint32(3, i);
    if (cache.find(view, 1, 14) === 0) cache.add(i);
    else mistaken++;
  }
  for (let i = 1; i <= count; i += 97) {
    view.setUint32(3, i);
    if (cache.find(view, 1, 14) !== i) mistaken++;
  }
  expect(mistaken).toBe(0);
});
