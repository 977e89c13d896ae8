import { expect, test } from 'vitest';
import { Pool } from '../../util/pool.ts';

test('a pool keeps so many, and none that is not worth it', () => {
  const pool = new Pool<{ size: number }>(
    () => ({ size: 1 }),
    1,
    (item) => item.size < 5,
  );
  const [a, b] = [pool.take(), pool.take()];
  pool.give(a);
  pool.give(b);
  expect(pool.take()).toBe(a);
  expect(pool.take()).not.toBe(b);
  a.size = 9;
  pool.give(a);
  expect(pool.take()).not.toBe(a);
});
