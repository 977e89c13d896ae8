import { Labels } from '../../model/labels.ts';
import type { SampleBatch, SeriesRef } from '../../model/sample.ts';
import type { Appender, CommitResult } from '../../model/storage.ts';
import { isStaleWords, wordsToNumber } from '../../util/float-bits.ts';
import type { Clock, Fs, Host, Log, LogFacts, TimerHandle } from '../../util/host.ts';
import type { Body } from '../../scraper/body.ts';
import {
  FetchError,
  type Fetcher,
  type FetchResult,
  type TargetClient,
  type TargetRequest,
} from '../../scraper/fetcher.ts';

/** One committed row: the series' labels as text, time and value (`stale` for a marker). */
export type Row = readonly [series: string, timeMs: number, value: number | 'stale'];

/** An appender that remembers its commits. */
export class FakeAppender implements Appender {
  readonly commits: Row[][] = [];
  seriesMax = Infinity;
  readonly #labels: Labels[] = [Labels.EMPTY];
  readonly #refs = new Map<string, SeriesRef>();

  seriesRef(labels: Labels): SeriesRef {
    const known = this.#refs.get(labels.key());
    if (known !== undefined) return known;
    if (this.#labels.length > this.seriesMax) throw new Error('head series limit reached');
    const ref = this.#labels.push(labels) - 1;
    this.#refs.set(labels.key(), ref);
    return ref;
  }

  labelsOf(ref: SeriesRef): Labels {
    return this.#labels[ref]!;
  }

  get seriesCount(): number {
    return this.#labels.length - 1;
  }

  commit(batch: SampleBatch): Promise<CommitResult> {
    const rows = rowsOf(batch, this);
    this.commits.push(rows);
    return Promise.resolve({
      storedCount: rows.length,
      outOfOrderCount: 0,
      duplicateCount: 0,
      outOfBoundsCount: 0,
      firstError: undefined,
    });
  }
}

export function rowsOf(batch: SampleBatch, appender: Appender): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < batch.count; i++) {
    const labels = appender.labelsOf(batch.refs[i]!).toObject();
    const { __name__: name, ...rest } = labels;
    const text = Object.entries(rest).map(([key, value]) => `${key}="${value}"`);
    const hi = batch.words[i * 2]!;
    const lo = batch.words[i * 2 + 1]!;
    const value = isStaleWords(hi, lo) ? 'stale' : wordsToNumber(hi, lo);
    rows.push([`${name}{${text.join(',')}}`, batch.times[i]!, value]);
  }
  return rows;
}

/** A clock that moves only when told, with its timers. */
class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 1000;
  #timers: { atMs: number; run: () => void }[] = [];

  constructor(startMs = 1_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(run: () => void, delayMs: number): TimerHandle {
    const timer = { atMs: this.#monotonicMs + delayMs, run };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  /** Moves the wall clock alone. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  /** Runs everything due in the next `ms`, with promises settled in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#moveTo(Math.max(due.atMs, this.#monotonicMs));
      due.run();
    }
    this.#moveTo(untilMs);
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Lets everything that waits on promises alone go on. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

export interface FakeHost extends Host {
  readonly clock: ManualClock;
  readonly logged: { level: string; facts: LogFacts; message: string }[];
}

export function fakeHost(): FakeHost {
  const logged: FakeHost['logged'] = [];
  const logger = (level: string) => (facts: LogFacts, message: string) => void logged.push({ level, facts, message });
  const log: Log = { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') };
  // Scraping reads no file but those that hold secrets; none of these tests has one.
  const fs = { readFile: () => Promise.reject(new Error('no file')) } as unknown as Fs;
  return { clock: new ManualClock(), random: { next: () => 0.5 }, log, fs, logged };
}

const TEXT_TYPE = 'text/plain; version=0.0.4';

/** Targets as functions from the URL to a body; an error text thrown is what the scrape fails with. */
export class FakeFetcher implements Fetcher {
  readonly requests: string[] = [];
  readonly connected: TargetRequest[] = [];
  /** Per target: what each of its fetches waits for. */
  readonly clients: { before: Promise<void> }[] = [];
  answer: (url: string) => string | { readonly body: string; readonly contentType: string };

  constructor(answer: FakeFetcher['answer']) {
    this.answer = answer;
  }

  connect(request: TargetRequest): TargetClient {
    this.connected.push(request);
    const control: { before: Promise<void> } = { before: Promise.resolve() };
    this.clients.push(control);
    return {
      fetch: async (into: Body): Promise<FetchResult> => {
        this.requests.push(request.url);
        await control.before;
        try {
          const answer = this.answer(request.url);
          const { body, contentType } = typeof answer === 'string' ? { body: answer, contentType: TEXT_TYPE } : answer;
          into.clear();
          into.append(Buffer.from(body));
          return { contentType };
        } catch (error) {
          throw new FetchError((error as Error).message, { cause: error });
        }
      },
      close: () => undefined,
    };
  }

  close(): void {
    this.connected.length = 0;
  }
}
