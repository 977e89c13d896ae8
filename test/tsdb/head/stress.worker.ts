// A reader of the stress test: queries in a loop and checks every sample that the writer had promised.
import { parentPort } from 'node:worker_threads';
import type { Labels } from '../../../model/labels.ts';
import { Matcher } from '../../../model/matcher.ts';
import { SampleColumns } from '../../../model/sample.ts';
import type { Querier, Queryable, SeriesSet } from '../../../model/storage.ts';
import { openHead } from '../../../tsdb/head/head-querier.ts';
import { SnapshotLostError } from '../../../tsdb/head/snapshot.ts';
import { START_MS, STEP_MS, valueAt, type StressReport, type StressSetup } from './stress-model.ts';

interface View {
  readonly querier: Querier;
  /** Commits that had resolved before the view was made. */
  readonly promised: number;
  readonly set: SeriesSet;
}

const port = parentPort!;

port.once('message', (setup: StressSetup) => {
  port.postMessage(new Reader(setup).run());
});

class Reader {
  readonly #setup: StressSetup;
  readonly #promised: Int32Array;
  readonly #report: StressReport = { snapshots: 0, samples: 0, lost: 0, faults: [] };
  readonly #out = new SampleColumns();
  #random: number;

  constructor(setup: StressSetup) {
    this.#setup = setup;
    this.#promised = new Int32Array(setup.promised, 0, 2);
    this.#random = setup.seed;
  }

  run(): StressReport {
    const head = openHead(this.#setup.head, this.#setup.slot);
    while (Atomics.load(this.#promised, 1) === 0 && this.#report.faults.length < 10) {
      // Two views at once, closed in either order.
      const first = this.#open(head);
      const second = this.#next() % 2 === 0 ? this.#open(head) : undefined;
      const views = second && this.#next() % 2 === 0 ? [second, first] : [first, second];
      for (const view of views) if (view) this.#check(view);
    }
    return this.#report;
  }

  #open(head: Queryable): View {
    const promised = Atomics.load(this.#promised, 0);
    const querier = head.querier(0, Infinity);
    const set = querier.select([new Matcher('=', '__name__', 'm')], { startMs: 0, endMs: Infinity });
    return { querier, promised, set };
  }

  #check({ querier, promised, set }: View): void {
    try {
      let newest = this.#checkSet(set, promised, -1);
      // A second selector of the same view, later: the same commit, though the writer went on.
      const shard = String(this.#next() % 4);
      const matchers = [new Matcher('=~', 'shard', `[${shard}x]`), new Matcher('!=', 'born', 'never')];
      newest = this.#checkSet(querier.select(matchers, { startMs: 0, endMs: Infinity }), promised, newest);
      this.#report.snapshots++;
    } catch (error) {
      if (error instanceof SnapshotLostError) this.#report.lost++;
      else this.#fault(String(error instanceof Error ? error.stack : error));
    } finally {
      querier.close();
    }
  }

  /** Every series must end at the same commit, and have every sample from its birth, or the window's start, to there. */
  #checkSet(set: SeriesSet, promised: number, expectedNewest: number): number {
    let newest = expectedNewest;
    const isWhole = this.#next() % 32 === 0;
    const width = this.#next() % 8 === 0 ? 200 : 10;
    for (let i = 0; i < set.count; i++) {
      const labels = set.labels(i);
      const born = Number(labels.get('born'));
      const last = newest < 0 ? promised : newest;
      const from = isWhole ? 0 : START_MS + (last - (this.#next() % width)) * STEP_MS;
      set.read(i, from, Infinity, this.#out);
      const end = this.#checkSamples(Math.max(born, isWhole ? 0 : (from - START_MS) / STEP_MS), labels);
      if (newest < 0) newest = end;
      if (end !== newest) this.#fault(`torn: ${labels.toString()} ends at ${end}, others at ${newest}`);
    }
    if (newest >= 0 && newest < promised) this.#fault(`commit ${promised} was promised, ${newest} seen`);
    return newest;
  }

  #checkSamples(first: number, name: Labels): number {
    const { times, values, stale, count } = this.#out;
    for (let i = 0; i < count; i++) {
      const commit = first + i;
      const expected = valueAt(commit);
      const isStale = Number.isNaN(expected);
      if (times[i] !== START_MS + commit * STEP_MS) {
        this.#fault(`${name.toString()}: sample ${i} of ${count} at ${times[i]}, want commit ${commit}`);
        return -2;
      }
      if (stale[i] !== (isStale ? 1 : 0) || (!isStale && values[i] !== expected)) {
        this.#fault(`${name.toString()}: value ${values[i]} stale ${stale[i]} at commit ${commit}, want ${expected}`);
      }
    }
    this.#report.samples += count;
    return first + count - 1;
  }

  #fault(text: string): void {
    if (this.#report.faults.length < 10) this.#report.faults.push(text);
  }

  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random >>> 8;
  }
}
