import { expect, test } from 'vitest';
import { EpochClock, ReaderEpochs } from '../../../tsdb/head/epochs.ts';
import { createTables, CONTROL } from '../../../tsdb/head/tables.ts';

function fixture(): { control: ReturnType<typeof createTables>['control']; clock: EpochClock } {
  const { control } = createTables();
  return { control, clock: new EpochClock(control) };
}

test('what was retired is free when every reader that was there has left', () => {
  const { control, clock } = fixture();
  const reader = new ReaderEpochs(control, clock.acquireSlot());
  const early = reader.enter();
  const retired = clock.retire();
  clock.advance();
  expect(EpochClock.isFree(retired, clock.oldestHeld())).toBe(false);
  const late = reader.enter();
  reader.leave(early);
  expect(EpochClock.isFree(retired, clock.oldestHeld())).toBe(true);
  const second = clock.retire();
  clock.advance();
  expect(EpochClock.isFree(second, clock.oldestHeld())).toBe(false);
  reader.leave(late);
  expect(EpochClock.isFree(second, clock.oldestHeld())).toBe(true);
});

test('views of one thread may be left in any order: the oldest one counts', () => {
  const { control, clock } = fixture();
  const reader = new ReaderEpochs(control, clock.acquireSlot());
  const first = reader.enter();
  const retired = clock.retire();
  clock.advance();
  const second = reader.enter();
  reader.leave(second);
  expect(EpochClock.isFree(retired, clock.oldestHeld())).toBe(false);
  reader.leave(first);
  expect(EpochClock.isFree(retired, clock.oldestHeld())).toBe(true);
});

test('the slot of a thread that died holds nothing once it is released', () => {
  const { control, clock } = fixture();
  const slot = clock.acquireSlot();
  new ReaderEpochs(control, slot).enter();
  const retired = clock.retire();
  clock.advance();
  clock.releaseSlot(slot);
  expect(EpochClock.isFree(retired, clock.oldestHeld())).toBe(true);
  expect(clock.acquireSlot()).toBe(slot);
});

test('a 65th reading thread is refused', () => {
  const { clock } = fixture();
  for (let i = 0; i < 64; i++) clock.acquireSlot();
  expect(() => clock.acquireSlot()).toThrow('more than 64 threads');
});

test('order holds where the epoch passes the end of 32 bits, and 0 is passed over', () => {
  expect(EpochClock.isFree(2_147_483_647, -2_147_483_648)).toBe(true);
  expect(EpochClock.isFree(-2_147_483_648, 2_147_483_647)).toBe(false);
  expect(EpochClock.isFree(-1, 1)).toBe(true);
  const { control } = fixture();
  expect(control.i32[CONTROL.epoch]).toBe(1);
});
