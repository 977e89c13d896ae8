// XOR codec and head commit, beside the prototype column of docs/ARCHITECTURE.md (section 2).
import { SampleColumns } from '../model/sample.ts';
import { XorAppender, XorDecoder } from '../tsdb/chunk/xor.ts';
import { nsPer, type BenchResult } from './harness.ts';

const CHUNKS = 1000;
const SAMPLES = 120;
const STRIDE_BYTES = 2400;

interface Kind {
  readonly name: string;
  readonly appendPrototype: string;
  readonly decodePrototype: string;
  value(row: number): number;
}

const KINDS: readonly Kind[] = [
  { name: 'counter', appendPrototype: '27', decodePrototype: '8.9', value: (row) => Math.floor(row * 13.7) },
  {
    name: 'gauge',
    appendPrototype: '35',
    decodePrototype: '11.2',
    value: (row) => 20 + ((row * 7919) % 10_007) / 100,
  },
  { name: 'constant', appendPrototype: '-', decodePrototype: '4.4', value: () => 42 },
];

export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const kind of KINDS) results.push(...benchKind(kind));
  return results;
}

function benchKind(kind: Kind): BenchResult[] {
  const view = new DataView(new ArrayBuffer(CHUNKS * STRIDE_BYTES), 0, CHUNKS * STRIDE_BYTES);
  const values = new Float64Array(CHUNKS * SAMPLES);
  for (let i = 0; i < values.length; i++) values[i] = kind.value(i);
  const words = new Int32Array(values.buffer, 0, values.length * 2);
  const sizes = new Int32Array(CHUNKS);
  const appender = new XorAppender(view);
  const append = nsPer(
    CHUNKS * SAMPLES,
    () => {
      for (let chunk = 0; chunk < CHUNKS; chunk++) {
        appender.begin(view, chunk * STRIDE_BYTES);
        for (let i = 0; i < SAMPLES; i++) {
          const row = chunk * SAMPLES + i;
          appender.append(1.7e12 + i * 15_000, words[row * 2 + 1]!, words[row * 2]!);
        }
        sizes[chunk] = appender.sizeBytes;
      }
    },
    15,
  );
  const decoder = new XorDecoder();
  decoder.startMs = 0;
  decoder.endMs = 1e15;
  const out = new SampleColumns(SAMPLES);
  const decode = nsPer(
    CHUNKS * SAMPLES,
    () => {
      for (let chunk = 0; chunk < CHUNKS; chunk++) {
        out.clear();
        const base = chunk * STRIDE_BYTES;
        decoder.decode(view, base, base + sizes[chunk]!, SAMPLES, out);
      }
    },
    15,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0) / (CHUNKS * SAMPLES);
  return [
    { name: `XOR append, ${kind.name}`, value: append, unit: 'ns/sample', note: `prototype ${kind.appendPrototype}` },
    { name: `XOR decode, ${kind.name}`, value: decode, unit: 'ns/sample', note: `prototype ${kind.decodePrototype}` },
    { name: `XOR size, ${kind.name}`, value: bytes, unit: 'bytes/sample' },
  ];
}
