import { expect, test } from 'vitest';
import { ChunkMemory, offsetIn, SLAB_BYTES, SLOT_BYTES, slabOf } from '../../../tsdb/head/chunk-memory.ts';
import { EpochClock, ReaderEpochs } from '../../../tsdb/head/epochs.ts';
import { createTables } from '../../../tsdb/head/tables.ts';

function fixture(): { memory: ChunkMemory; clock: EpochClock; reader: ReaderEpochs } {
  const tables = createTables();
  const clock = new EpochClock(tables.control);
  const reader = new ReaderEpochs(tables.control, clock.acquireSlot());
  return { memory: new ChunkMemory(tables.share.chunks, clock), clock, reader };
}

// Random slots are taken and retired, with a reader that comes and goes; every slot is filled with its own number.
test('slots do not overlap, and are not reused while a reader may see them', () => {
  const { memory, reader } = fixture();
  let random = 3;
  const next = (): number => (random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0) >>> 8;
  const live: { location: number; sizeClass: number; tag: number }[] = [];
  let held: { epoch: number; slots: typeof live } | undefined;
  const isIntact = ({ location, sizeClass, tag }: (typeof live)[number]): boolean => {
    const view = memory.slabs.view(slabOf(location));
    const offset = offsetIn(location);
    for (let i = 0; i < SLOT_BYTES[sizeClass]!; i += 4) if (view.getUint32(offset + i) !== tag) return false;
    return true;
  };
  for (let round = 0; round < 20_000; round++) {
    if (next() % 5 < 3 || live.length === 0) {
      const sizeClass = next() % SLOT_BYTES.length;
      const location = memory.takeSlot(sizeClass);
      const view = memory.slabs.view(slabOf(location));
      for (let i = 0; i < SLOT_BYTES[sizeClass]!; i += 4) view.setUint32(offsetIn(location) + i, round);
      live.push({ location, sizeClass, tag: round });
    } else {
      const index = next() % live.length;
      const slot = live[index]!;
      expect(isIntact(slot)).toBe(true);
      live[index] = live.at(-1)!;
      live.pop();
      memory.retireSlot(slot.location);
    }
    if (round % 500 === 0) {
      if (held) {
        expect(held.slots.every(isIntact)).toBe(true);
        reader.leave(held.epoch);
      }
      held = { epoch: reader.enter(), slots: [...live] };
    }
  }
  expect(live.every(isIntact)).toBe(true);
});

test('pages of a size that is no longer wanted serve another', () => {
  const { memory } = fixture();
  const count = 30_000;
  for (const sizeClass of SLOT_BYTES.keys()) {
    const slots = Array.from({ length: count }, () => memory.takeSlot(sizeClass));
    for (const slot of slots) memory.retireSlot(slot);
  }
  // All sizes at once would take 112 MiB.
  expect(memory.sizeBytes).toBeLessThanOrEqual(64 * 1024 * 1024);
});

test('sealed chunks of a generation lie one behind the other, those of others in slabs of their own', () => {
  const { memory } = fixture();
  const a = memory.takeSealed(1, 100);
  const b = memory.takeSealed(2, 100);
  const c = memory.takeSealed(1, 100);
  expect(slabOf(a)).toBe(slabOf(c));
  expect(offsetIn(c) - offsetIn(a)).toBe(112);
  expect(slabOf(b)).not.toBe(slabOf(a));
  for (let i = 0; i < 20_000; i++) {
    const location = memory.takeSealed(3, 1000);
    expect(offsetIn(location) + 1008).toBeLessThanOrEqual(SLAB_BYTES - 64);
  }
});
