import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Labels } from '../model/labels.ts';
import { SampleBatch } from '../model/sample.ts';
import { Head } from '../tsdb/head/head.ts';
import { replayWal, type ReplayTarget } from '../tsdb/head/replay.ts';
import { WalCommitLog } from '../tsdb/wal/commit-log.ts';
import { decodeSamples, encodeSamples, SampleRows } from '../tsdb/wal/record.ts';
import { frameRecord } from '../tsdb/wal/segment.ts';
import { WalWriter } from '../tsdb/wal/writer.ts';
import { ByteWriter } from '../util/bytes.ts';
import { snappyCompress, snappyUncompress } from '../util/compress.ts';
import { crc32c } from '../util/crc32c.ts';
import type { Host } from '../util/host.ts';
import { createNodeHost } from '../util/node-host.ts';
import { cpuMs, nsPer, type BenchResult, type BenchModule } from './harness.ts';

const ROWS = 1000;
const SERIES = 100_000;
const SCRAPES = 20;

const silent = (): void => undefined;
const observer = { written: silent, synced: silent, syncFailed: silent, writeFailed: silent, segmentStarted: silent };

/** A scrape's worth of samples: counters that stand still, counters that move and gauges. */
function fill(batch: SampleBatch, refs: Float64Array, first: number, time: number): void {
  batch.clear();
  for (let i = 0; i < ROWS; i++) {
    const ref = first + i;
    refs[i] = ref;
    const value = i % 3 === 0 ? 4096 : i % 3 === 1 ? time / 1000 + i : Math.sin(time + i);
    batch.append(ref, time, value);
  }
}

function codecs(): BenchResult[] {
  const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 131) & 255);
  const crcNs = nsPer(bytes.length, () => void crc32c(bytes));
  const batch = new SampleBatch(ROWS);
  const refs = new Float64Array(ROWS);
  fill(batch, refs, 50_000, 1_700_000_000_000);
  const out = new ByteWriter(64 * 1024);
  const encode = nsPer(ROWS * 200, () => {
    for (let i = 0; i < 200; i++) {
      out.clear();
      encodeSamples(out, batch, refs);
    }
  });
  const record = out.written().slice();
  const packed = snappyCompress(record);
  const pack = nsPer(ROWS * 100, () => {
    for (let i = 0; i < 100; i++) snappyCompress(record);
  });
  const unpack = nsPer(ROWS * 100, () => {
    for (let i = 0; i < 100; i++) snappyUncompress(packed, 1 << 24);
  });
  const framed = new ByteWriter(64 * 1024);
  const frame = nsPer(ROWS * 200, () => {
    for (let i = 0; i < 200; i++) {
      framed.clear();
      frameRecord(framed, i * 977, packed, 'snappy');
    }
  });
  const rows = new SampleRows();
  const decode = nsPer(ROWS * 200, () => {
    for (let i = 0; i < 200; i++) decodeSamples(record, rows);
  });
  return [
    { name: 'CRC-32C', value: 1 / crcNs, unit: 'GB/s', note: 'prototype 1.95' },
    { name: 'WAL samples record, encode', value: encode, unit: 'ns/sample' },
    {
      name: 'WAL samples record, snappy',
      value: pack,
      unit: 'ns/sample',
      note: `${record.length} to ${packed.length} bytes`,
    },
    { name: 'WAL samples record, frame', value: frame, unit: 'ns/sample' },
    { name: 'WAL samples record, unsnappy', value: unpack, unit: 'ns/sample' },
    { name: 'WAL samples record, decode', value: decode, unit: 'ns/sample' },
  ];
}

/** A head that only counts: what is left is the cost of the log itself. */
class CountingHead implements ReplayTarget {
  readonly #refs = new Map<string, number>();

  replaySeries(labels: Labels): number {
    const key = labels.key();
    const ref = this.#refs.get(key) ?? this.#refs.size + 1;
    this.#refs.set(key, ref);
    return ref;
  }

  replaySamples(batch: SampleBatch): ReturnType<ReplayTarget['replaySamples']> {
    const none = { outOfOrderCount: 0, duplicateCount: 0, outOfBoundsCount: 0, firstError: undefined };
    return { storedCount: batch.count, ...none };
  }
}

function seriesLabels(i: number): Labels {
  return Labels.fromObject({
    __name__: `container_metric_${i % 100}_total`,
    cpu: String(i % 8),
    id: `/docker/${Math.floor(i / 100)
      .toString(16)
      .padStart(12, '0')}`,
    image: 'registry.example/app:1.2',
    instance: `10.0.0.${Math.floor(i / 1000)}:9100`,
    job: 'cadvisor',
    name: `app-${Math.floor(i / 100)}`,
  });
}

/** CPU ms of the first scrape, which logs all series, and of the others. */
async function writeLog(host: Host, folder: string): Promise<{ firstMs: number; restMs: number }> {
  const options = {
    folder,
    firstSegment: 0,
    segmentBytes: 128 << 20,
    compression: 'snappy',
    fsync: 'interval',
  } as const;
  const writer = new WalWriter({ ...options, fsyncIntervalMs: 1000 }, host, observer);
  const labels = Array.from({ length: SERIES }, (_, i) => seriesLabels(i));
  const log = new WalCommitLog(writer, (ref) => labels[ref - 1]!, new Float64Array(1024), 1);
  const unused = new Float64Array(ROWS);
  const batches: SampleBatch[] = [];
  for (let first = 1; first < SERIES; first += ROWS) {
    const batch = new SampleBatch(ROWS);
    fill(batch, unused, first, 1_700_000_000_000);
    batches.push(batch);
  }
  const scrape = async (n: number): Promise<void> => {
    for (const batch of batches) {
      batch.times.fill(1_700_000_000_000 + n * 15_000);
      // The log finds new series by their rows.
      await log.append([], batch);
    }
  };
  const firstMs = await cpuMs(() => scrape(0));
  const restMs = await cpuMs(async () => {
    for (let n = 1; n < SCRAPES; n++) await scrape(n);
    await writer.close();
  });
  return { firstMs, restMs };
}

interface ReplayCost {
  readonly sampleCount: number;
  readonly bytes: number;
  /** Both ms. */
  readonly cpu: number;
  readonly wall: number;
}

async function replayInto(head: ReplayTarget, host: Host, folder: string): Promise<ReplayCost> {
  const started = performance.now();
  let sampleCount = 0;
  let bytes = 0;
  const cpu = await cpuMs(async () => {
    const report = await replayWal(folder, head, host, silent, new AbortController().signal);
    for (const { sizeBytes } of report.segments) bytes += sizeBytes;
    sampleCount = report.sampleCount;
  });
  return { sampleCount, bytes, cpu, wall: performance.now() - started };
}

async function replay(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-wal-'));
  try {
    const host = createNodeHost({ debug: silent, info: silent, warn: silent, error: silent });
    const { firstMs, restMs } = await writeLog(host, folder);
    const counting = await replayInto(new CountingHead(), host, folder);
    const { sampleCount, bytes, cpu, wall } = await replayInto(
      new Head({ clock: host.clock, maxSeries: 0 }),
      host,
      folder,
    );
    const note = `${SERIES} series, ${sampleCount} samples, ${(bytes / sampleCount).toFixed(1)} bytes per sample`;
    return [
      { name: 'WAL commits of 1,000 new series, CPU', value: (firstMs * 1e3) / SERIES, unit: 'us/series' },
      { name: 'WAL commits of 1,000, CPU', value: (restMs * 1e6) / (SERIES * (SCRAPES - 1)), unit: 'ns/sample', note },
      { name: 'WAL replay into nothing, CPU', value: (counting.cpu * 1e6) / sampleCount, unit: 'ns/sample' },
      { name: 'WAL replay into the head, CPU', value: (cpu * 1e6) / sampleCount, unit: 'ns/sample' },
      { name: 'WAL replay into the head', value: wall, unit: 'ms' },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const run: BenchModule['run'] = async () => [...codecs(), ...(await replay())];
