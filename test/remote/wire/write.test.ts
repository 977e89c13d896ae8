import { existsSync, readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { WriteRequestReader } from '../../../remote/wire/write.ts';
import { snappyUncompress } from '../../../util/compress.ts';

const folder = new URL('../../../../shared/conformance/remote/', import.meta.url);
const hasConformance = existsSync(folder);

interface Series {
  readonly labels: Record<string, string>;
  readonly samples: { readonly value: number; readonly timestamp: number }[];
}

function readAll(bytes: Uint8Array): Series[] {
  const reader = new WriteRequestReader(bytes);
  const found: Series[] = [];
  const scratch = new DataView(new ArrayBuffer(8));
  while (reader.next()) {
    const pairs = reader.labelPairs();
    const labels: Record<string, string> = {};
    for (let i = 0; i < pairs.length; i += 2) labels[pairs[i]!] = pairs[i + 1]!;
    const samples: Series['samples'] = [];
    for (let i = 0; i < reader.samples.count; i++) {
      scratch.setInt32(0, reader.samples.words[i * 2]!);
      scratch.setInt32(4, reader.samples.words[i * 2 + 1]!);
      samples.push({ value: scratch.getFloat64(0), timestamp: reader.samples.times[i]! });
    }
    found.push({ labels, samples });
  }
  return found;
}

/** One series as a message; `times` are written as int64. */
function request(labels: readonly (readonly [string, string])[], samples: readonly [number, number][]): Uint8Array {
  const writer = protobuf.Writer.create().uint32(10).fork();
  for (const [name, value] of labels) {
    writer.uint32(10).fork().uint32(10).string(name).uint32(18).string(value).ldelim();
  }
  for (const [time, value] of samples) {
    writer.uint32(18).fork().uint32(9).double(value).uint32(16).int64(time).ldelim();
  }
  return writer.ldelim().finish();
}

describe('write requests', () => {
  test.skipIf(!hasConformance)('as Prometheus sends them (skipped where ../shared is absent)', () => {
    const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
      string,
      { message: { timeseries: Series[] } }
    >;
    for (const name of ['write-v1-samples', 'write-v1-metadata']) {
      const bytes = snappyUncompress(readFileSync(new URL(`${name}.bin`, folder)), 1 << 20);
      const wanted = expected[name]!.message.timeseries.map(({ labels, samples }) => ({
        labels,
        samples: samples ?? [],
      }));
      expect(readAll(bytes)).toEqual(wanted);
    }
  });

  test('times keep their sign, and what no number holds becomes infinite', () => {
    const [series] = readAll(
      request(
        [['__name__', 'm']],
        [
          [-1, 1],
          [0, 2],
          [Number.MAX_SAFE_INTEGER, 3],
          [-Number.MAX_SAFE_INTEGER, 4],
          [2 ** 62, 5],
          [-(2 ** 62), 6],
        ],
      ),
    );
    expect(series!.samples.map(({ timestamp }) => timestamp)).toEqual([
      -1,
      0,
      Number.MAX_SAFE_INTEGER,
      -Number.MAX_SAFE_INTEGER,
      Infinity,
      -Infinity,
    ]);
  });

  test('bits of a value are kept, staleness markers among them', () => {
    const body = request([['__name__', 'm']], [[1, 0]]);
    const at = body.indexOf(9, body.length - 13) + 1;
    body.set([2, 0, 0, 0, 0, 0, 0xf0, 0x7f], at);
    const reader = new WriteRequestReader(body);
    reader.next();
    expect([...reader.samples.words.subarray(0, 2)]).toEqual([0x7ff00000, 2]);
  });

  test('cut or with a bit turned over, a message gives series or bad_data, and nothing else', () => {
    const body = request(
      [
        ['__name__', 'metric'],
        ['job', 'x'],
      ],
      [
        [1_700_000_000_000, 1.5],
        [1_700_000_015_000, 2.5],
      ],
    );
    const attempt = (bytes: Uint8Array): void => {
      try {
        readAll(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad_data' });
      }
    };
    for (let length = 0; length < body.length; length++) attempt(body.subarray(0, length));
    for (let bit = 0; bit < body.length * 8; bit++) {
      const turned = Uint8Array.from(body);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      attempt(turned);
    }
  });

  test('label names that are not UTF-8 are refused', () => {
    const body = request([['__name__', 'm?']], [[1, 1]]);
    body[body.indexOf(0x3f)] = 0xff;
    const reader = new WriteRequestReader(body);
    expect(reader.next()).toBe(true);
    expect(() => reader.labelPairs()).toThrow('labels that cannot be read');
  });
});
