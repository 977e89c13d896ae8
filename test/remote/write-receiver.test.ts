import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { WriteReceiver } from '../../remote/write-receiver.ts';
import type { Labels } from '../../model/labels.ts';
import type { SampleBatch } from '../../model/sample.ts';
import type { Appender, CommitResult } from '../../model/storage.ts';
import { snappyCompress } from '../../util/compress.ts';
import { CodedError } from '../../util/errors.ts';
import { MetricRegistry } from '../../util/metrics.ts';
import { SimDisk, SimProcess } from '../support/sim-host.ts';

const NONE: CommitResult = {
  storedCount: 0,
  outOfOrderCount: 0,
  duplicateCount: 0,
  outOfBoundsCount: 0,
  firstError: undefined,
};

/** Keeps what it is given; refuses series above a limit. */
class RecordingAppender implements Appender {
  readonly labels: Labels[] = [];
  readonly rows: [string, number, number][] = [];
  readonly commits: number[] = [];
  seriesMax = Infinity;
  result: CommitResult = NONE;
  lookUps = 0;

  seriesRef(labels: Labels): number {
    this.lookUps++;
    const known = this.labels.findIndex((other) => other.equals(labels));
    if (known >= 0) return known + 1;
    if (this.labels.length >= this.seriesMax) throw new CodedError('limit', 'head series limit (2) reached');
    return this.labels.push(labels);
  }

  labelsOf(ref: number): Labels {
    return this.labels[ref - 1]!;
  }

  commit(batch: SampleBatch): Promise<CommitResult> {
    this.commits.push(batch.count);
    for (let i = 0; i < batch.count; i++) {
      const value = new Float64Array(Int32Array.of(batch.words[2 * i + 1]!, batch.words[2 * i]!).buffer)[0]!;
      this.rows.push([this.labelsOf(batch.refs[i]!).toString(), batch.times[i]!, value]);
    }
    return Promise.resolve(this.result);
  }
}

type Pairs = readonly (readonly [string, string])[];

function body(...series: { labels: Pairs; samples: readonly [number, number][] }[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { labels, samples } of series) {
    writer.uint32(10).fork();
    for (const [name, value] of labels) {
      writer.uint32(10).fork().uint32(10).string(name).uint32(18).string(value).ldelim();
    }
    for (const [time, value] of samples) {
      writer.uint32(18).fork().uint32(9).double(value).uint32(16).int64(time).ldelim();
    }
    writer.ldelim();
  }
  return snappyCompress(writer.finish());
}

function setUp(): { appender: RecordingAppender; receiver: WriteReceiver; nowMs: number } {
  const host = new SimProcess(new SimDisk(1));
  const appender = new RecordingAppender();
  return { appender, receiver: new WriteReceiver(appender, host, new MetricRegistry()), nowMs: host.clock.nowMs() };
}

const up: Pairs = [
  ['__name__', 'up'],
  ['job', 'a'],
];

describe('write receiver', () => {
  test('stores a request as one commit, and knows its series the next time', async () => {
    const { appender, receiver, nowMs } = setUp();
    const other: Pairs = [['__name__', 'other']];
    const request = body(
      {
        labels: up,
        samples: [
          [nowMs - 1000, 1],
          [nowMs, NaN],
        ],
      },
      { labels: other, samples: [[nowMs, 3]] },
    );
    expect(await receiver.receive(request)).toBeUndefined();
    expect(appender.commits).toEqual([3]);
    expect(appender.rows[0]).toEqual(['{__name__="up", job="a"}', nowMs - 1000, 1]);
    expect(appender.rows[2]).toEqual(['{__name__="other"}', nowMs, 3]);
    await receiver.receive(request);
    expect(appender.lookUps).toBe(2);
    expect(appender.commits).toEqual([3, 3]);
  });

  test('stores the good series of a request with bad ones, and says what is wrong with the first', async () => {
    const { appender, receiver, nowMs } = setUp();
    const samples: [number, number][] = [[nowMs, 1]];
    const error = await receiver.receive(
      body(
        { labels: [['job', 'nameless']], samples },
        { labels: [...up, ['job', 'b']], samples },
        { labels: [...up, ['', 'b']], samples },
        { labels: up, samples },
      ),
    );
    expect(error).toBe('series {job="nameless"} has no metric name; not stored: 3 invalid series');
    expect(appender.rows).toHaveLength(1);
  });

  test('refuses samples from the future, and only those', async () => {
    const { appender, receiver, nowMs } = setUp();
    const error = await receiver.receive(
      body({
        labels: up,
        samples: [
          [nowMs, 1],
          [nowMs + 600_001, 2],
          [2 ** 62, 3],
        ],
      }),
    );
    expect(error).toMatch(/^out of bounds: .*; not stored: 2 samples out of bounds$/);
    expect(appender.rows.map(([, time]) => time)).toEqual([nowMs]);
  });

  test('passes on what the head refuses', async () => {
    const { appender, receiver, nowMs } = setUp();
    appender.seriesMax = 1;
    appender.result = { ...NONE, outOfOrderCount: 1, firstError: 'out of order sample' };
    const samples: [number, number][] = [[nowMs, 1]];
    const error = await receiver.receive(body({ labels: up, samples }, { labels: [['__name__', 'b']], samples }));
    expect(error).toBe('head series limit (2) reached; not stored: 1 out of order samples, 1 series beyond the limit');
  });

  test('refuses what is no request', async () => {
    const { receiver } = setUp();
    await expect(receiver.receive(Uint8Array.of())).rejects.toMatchObject({ code: 'bad_data' });
    await expect(receiver.receive(snappyCompress(Buffer.from('no protobuf')))).rejects.toMatchObject({
      code: 'bad_data',
    });
    // 40 MiB declared in seven bytes.
    await expect(receiver.receive(Uint8Array.of(0x80, 0x80, 0x80, 0x14, 0, 0, 0))).rejects.toThrow(
      'decoded size exceeds the 33554432 bytes limit',
    );
  });
});
