import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SampleColumns } from '../../../model/sample.ts';
import {
  XorAppender,
  XorCursor,
  XorDecoder,
  XOR_DECODE_SLACK_BYTES,
  XOR_SLACK_BYTES,
} from '../../../tsdb/chunk/xor.ts';
import { CorruptionError } from '../../../util/errors.ts';
import { STALE_NAN_HI, STALE_NAN_LO } from '../../../util/float-bits.ts';

interface Row {
  readonly t: number;
  readonly hi: number;
  readonly lo: number;
}

interface Vector {
  readonly encoding: string;
  readonly hex: string;
  readonly name: string;
  readonly samples: readonly { readonly t: number; readonly bits: string }[];
}

const vectorFile = fileURLToPath(new URL('../../../../shared/conformance/tsdb/chunk-vectors.json', import.meta.url));
const isLong = process.env['NARTHEX_LONG'] !== undefined;
const BASE = 37;

function rowsOf(vector: Vector): Row[] {
  return vector.samples.map(({ t, bits }) => ({
    t,
    hi: Number.parseInt(bits.slice(0, 8), 16) | 0,
    lo: Number.parseInt(bits.slice(8), 16) | 0,
  }));
}

function encode(rows: readonly Row[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(64 + rows.length * 19 + XOR_SLACK_BYTES));
  const appender = new XorAppender(view);
  appender.begin(view, BASE);
  for (const { t, hi, lo } of rows) appender.append(t, hi, lo);
  return new Uint8Array(view.buffer.slice(BASE, BASE + appender.sizeBytes));
}

/** The chunk at an odd offset, with the slack that decoding may read. */
function viewOf(bytes: Uint8Array): DataView {
  const padded = new Uint8Array(BASE + bytes.length + XOR_DECODE_SLACK_BYTES).fill(0xa5);
  padded.set(bytes, BASE);
  return new DataView(padded.buffer, 0, padded.length);
}

function decode(bytes: Uint8Array, count: number, startMs = -Infinity, endMs = Infinity): Row[] {
  const out = new SampleColumns(1);
  const decoder = new XorDecoder();
  decoder.startMs = startMs;
  decoder.endMs = endMs;
  decoder.decode(viewOf(bytes), BASE, BASE + bytes.length, count, out);
  const words = new Int32Array(out.values.buffer, 0, out.values.length * 2);
  return Array.from({ length: out.count }, (_, i) => ({ t: out.times[i]!, hi: words[i * 2 + 1]!, lo: words[i * 2]! }));
}

const time = fc.oneof(
  fc.constant(15_000),
  fc.integer({ min: 14_900, max: 15_100 }),
  fc.integer({ min: 1, max: 3_000_000 }),
  fc.integer({ min: 1, max: 2 ** 45 }),
);
const word = fc.oneof(fc.constant(0), fc.integer(), fc.constant(0x7ff00000));
const step = fc.record({ delta: time, hi: word, lo: word, isSame: fc.boolean() });
const rowsArbitrary = fc
  .tuple(fc.integer({ min: -(2 ** 42), max: 2 ** 42 }), fc.array(step, { maxLength: 300 }))
  .map(([start, steps]) => {
    const rows: Row[] = [];
    let t = start;
    for (const { delta, hi, lo, isSame } of steps) {
      const last = rows.at(-1);
      rows.push(isSame && last ? { t, hi: last.hi, lo: last.lo } : { t, hi, lo });
      t += delta;
    }
    return rows;
  });

describe('xor', () => {
  test.skipIf(!existsSync(vectorFile))('chunks are byte-equal to those Prometheus wrote, both ways', () => {
    const { vectors } = JSON.parse(readFileSync(vectorFile, 'utf8')) as { vectors: Vector[] };
    const ours = vectors.filter(({ encoding }) => encoding === 'XOR');
    expect(ours.length).toBeGreaterThan(5);
    for (const vector of ours) {
      const rows = rowsOf(vector);
      expect(Buffer.from(encode(rows)).toString('hex'), vector.name).toBe(vector.hex);
      expect(decode(Buffer.from(vector.hex, 'hex'), rows.length), vector.name).toEqual(rows);
    }
  });

  test('random samples come back, by decoder and by cursor, at any bounds', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.nat(), fc.nat(), (rows, a, b) => {
        const bytes = encode(rows);
        expect(decode(bytes, rows.length)).toEqual(rows);
        const cursor = new XorCursor();
        cursor.open(viewOf(bytes), BASE, bytes.length);
        for (const row of rows) {
          expect(cursor.next()).toBe(true);
          expect({ t: cursor.time, hi: cursor.hi, lo: cursor.lo }).toEqual(row);
        }
        expect(cursor.next()).toBe(false);
        if (rows.length === 0) return;
        const start = rows[a % rows.length]!.t - (a % 2);
        const end = rows[b % rows.length]!.t + (b % 2);
        expect(decode(bytes, rows.length, start, end)).toEqual(rows.filter(({ t }) => t >= start && t <= end));
      }),
      { numRuns: isLong ? 20_000 : 60, seed: 7 },
    );
  });

  test('a chunk taken up where it ended goes on as if it had not stopped', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.nat(), (rows, at) => {
        const split = rows.length === 0 ? 0 : at % rows.length;
        const view = new DataView(new ArrayBuffer(64 + rows.length * 19 + XOR_SLACK_BYTES));
        const first = new XorAppender(view);
        first.begin(view, BASE);
        for (const { t, hi, lo } of rows.slice(0, split)) first.append(t, hi, lo);
        const second = new XorAppender(view);
        second.resume(view, BASE, first.sizeBytes);
        for (const { t, hi, lo } of rows.slice(split)) second.append(t, hi, lo);
        expect(new Uint8Array(view.buffer, BASE, second.sizeBytes)).toEqual(encode(rows));
      }),
      { numRuns: isLong ? 5000 : 30, seed: 11 },
    );
  });

  test('a chunk cut off anywhere is corruption, never a wrong row', () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ t: 1e12 + i * 15_000 + (i % 3), hi: i * 7919, lo: i }));
    const bytes = encode(rows);
    for (let size = 2; size < bytes.length; size++) {
      const cut = bytes.slice(0, size);
      expect(() => decode(cut, rows.length), `at ${size}`).toThrow(CorruptionError);
      const cursor = new XorCursor();
      cursor.open(viewOf(cut), BASE, size);
      expect(() => {
        while (cursor.next());
      }, `at ${size}`).toThrow(CorruptionError);
    }
  });

  test('a window of more than 64 bits is corruption', () => {
    // Second sample: one byte of delta, then 11, leading 31, 63 significant bits.
    const bytes = encode([
      { t: 1, hi: 0, lo: 0 },
      { t: 2, hi: 0, lo: 0 },
    ]);
    const broken = new Uint8Array(40);
    broken.set(bytes);
    broken.set([0xff, 0xff, 0xff], bytes.length - 1);
    expect(() => decode(broken, 2)).toThrow('impossible size');
  });

  test("the staleness marker's bits survive at every JIT tier", () => {
    const calls = isLong ? 200_000 : 20_000;
    const view = new DataView(new ArrayBuffer(256), 0, 256);
    const appender = new XorAppender(view);
    const decoder = new XorDecoder();
    const out = new SampleColumns(8);
    const words = new Int32Array(out.values.buffer, 0, 16);
    let faults = 0;
    for (let call = 0; call < calls; call++) {
      appender.begin(view, 0);
      appender.append(1000, 0x3ff00000, call);
      appender.append(2000, STALE_NAN_HI, STALE_NAN_LO);
      appender.append(3000, STALE_NAN_HI, STALE_NAN_LO);
      appender.append(4000, 0x7ff80000, 1);
      out.clear();
      decoder.decode(view, 0, appender.sizeBytes, 4, out);
      const isGood =
        words[3] === STALE_NAN_HI &&
        words[2] === STALE_NAN_LO &&
        words[5] === STALE_NAN_HI &&
        words[4] === STALE_NAN_LO;
      const isNormal = words[7] === 0x7ff80000 && words[6] === 1 && out.stale[3] === 0;
      if (!isGood || !isNormal || out.staleCount !== 2 || out.stale[1] !== 1) faults++;
    }
    expect(faults).toBe(0);
  });
});
