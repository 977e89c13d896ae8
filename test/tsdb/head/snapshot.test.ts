import { expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import { Matcher } from '../../../model/matcher.ts';
import { SampleBatch, SampleColumns } from '../../../model/sample.ts';
import type { Querier, SeriesSet } from '../../../model/storage.ts';
import { Head } from '../../../tsdb/head/head.ts';
import { openHead } from '../../../tsdb/head/head-querier.ts';
import { SnapshotLostError } from '../../../tsdb/head/snapshot.ts';
import { CONTROL, UNDO_ENTRIES } from '../../../tsdb/head/tables.ts';

const NOW = 1_700_000_000_000;
const clock = { nowMs: () => NOW, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
const ALL = { startMs: -Infinity, endMs: Infinity };

class Fixture {
  readonly head = new Head({ clock, maxSeries: 0, samplesPerChunk: 8 });
  readonly reader = openHead(this.head.share(), this.head.acquireReaderSlot());
  readonly refs: number[] = [];
  readonly #batch = new SampleBatch();
  time = 0;

  addSeries(count: number): void {
    for (let i = 0; i < count; i++) {
      const labels = { __name__: 'm', parity: String(this.refs.length % 2), i: String(this.refs.length) };
      this.refs.push(this.head.seriesRef(Labels.fromObject(labels)));
    }
  }

  async commit(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.#batch.clear();
      this.time++;
      for (const ref of this.refs) this.#batch.append(ref, NOW + this.time, this.time / 3);
      await this.head.commit(this.#batch);
    }
  }

  querier(): Querier {
    return this.reader.querier(-Infinity, Infinity);
  }
}

/** Times of the last sample of each series of a set. */
function lastTimes(set: SeriesSet): number[] {
  const out = new SampleColumns();
  return Array.from({ length: set.count }, (_, i) => {
    set.read(i, -Infinity, Infinity, out);
    expect(out.values[out.count - 1]).toBe((out.times[out.count - 1]! - NOW) / 3);
    return out.times[out.count - 1]! - NOW;
  });
}

test('all selectors of a querier see the commits before it was made, whatever is committed meanwhile', async () => {
  const fixture = new Fixture();
  fixture.addSeries(10);
  await fixture.commit(5);
  const querier = fixture.querier();
  await fixture.commit(3);
  fixture.addSeries(5);
  // Chunks of 16 samples at most: the one seen is sealed, and others after it.
  await fixture.commit(60);
  const early = querier.select([new Matcher('=', '__name__', 'm')], ALL);
  await fixture.commit(60);
  const late = querier.select([new Matcher('=', 'parity', '1')], ALL);
  expect(lastTimes(early)).toEqual(Array(10).fill(5));
  expect(lastTimes(late)).toEqual(Array(5).fill(5));
  expect(lastTimes(early)).toEqual(Array(10).fill(5));
  querier.close();
  expect(lastTimes(fixture.querier().select([], ALL))).toEqual(Array(15).fill(128));
});

test('a commit of several samples of one series is undone to where it began', async () => {
  const fixture = new Fixture();
  fixture.addSeries(1);
  await fixture.commit(2);
  const querier = fixture.querier();
  const batch = new SampleBatch();
  for (let i = 3; i < 100; i++) batch.append(fixture.refs[0]!, NOW + i, i / 3);
  await fixture.head.commit(batch);
  expect(lastTimes(querier.select([], ALL))).toEqual([2]);
  querier.close();
});

test('half a commit is not seen: entries above the committed position are undone', async () => {
  const fixture = new Fixture();
  fixture.addSeries(4);
  await fixture.commit(3);
  // As if the writer stood between the publish words and the committed position of commit 3.
  const control = new Int32Array(fixture.head.share().control, 0, 16);
  Atomics.sub(control, CONTROL.committed, 4);
  expect(lastTimes(fixture.querier().select([], ALL))).toEqual([2, 2, 2, 2]);
  Atomics.sub(control, CONTROL.committed, 8);
  expect(fixture.querier().select([], ALL).count).toBe(0);
  Atomics.add(control, CONTROL.committed, 12);
  expect(lastTimes(fixture.querier().select([], ALL))).toEqual([3, 3, 3, 3]);
});

test('when the undo ring wraps, an unused view begins again, and one in use says that it is lost', async () => {
  const fixture = new Fixture();
  fixture.addSeries(20_000);
  await fixture.commit();
  const unused = fixture.querier();
  const used = fixture.querier();
  const set = used.select([new Matcher('=', 'i', '7')], ALL);
  await fixture.commit(Math.ceil(UNDO_ENTRIES / 20_000) + 1);
  expect(() => used.select([new Matcher('=', 'i', '8')], ALL)).toThrow(SnapshotLostError);
  expect(lastTimes(set)).toEqual([1]);
  expect(lastTimes(unused.select([new Matcher('=', 'i', '8')], ALL))).toEqual([fixture.time]);
  used.close();
  unused.close();
});

test('positions wrap around 32 bits without a torn view', async () => {
  const fixture = new Fixture();
  fixture.addSeries(3);
  const control = new Int32Array(fixture.head.share().control, 0, 16);
  for (const word of [CONTROL.committed, CONTROL.undoHead, CONTROL.undoReserved]) control[word] = -5;
  await fixture.commit(1);
  const querier = fixture.querier();
  await fixture.commit(4);
  expect(lastTimes(querier.select([], ALL))).toEqual([1, 1, 1]);
  querier.close();
});
