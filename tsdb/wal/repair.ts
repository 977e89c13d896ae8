// After a replay that met damage the log is made whole again, so that Prometheus opens it without complaint: a torn end
// is cut off, a damaged segment is rewritten with its whole records, and missing numbers become empty segments. The
// original bytes go to quarantine first. Rules W1-W8: docs/format/wal.md. What a killed process left in the page cache is
// made durable too: nobody else would, and it was acknowledged (D2).
import { ByteWriter } from '../../util/bytes.ts';
import { errorText } from '../../util/errors.ts';
import type { FileHandle, Host } from '../../util/host.ts';
import { quarantineCopy } from '../quarantine.ts';
import { findCheckpoint, listSegments, scanSegment, uncompressed, type SegmentReport } from './reader.ts';
import { frameRecord, SegmentScanner } from './segment.ts';
import { segmentName } from './writer.ts';

/** A wider gap in the numbers is left as it is; no crash makes one. */
const GAP_MAX = 10_000;
const FLUSH_BYTES = 1024 * 1024;

/**
 * Puts the log in order and makes it durable; returns how many segments went to quarantine. What fails is logged and left
 * for the next start.
 */
export async function repairWal(
  dataPath: string,
  reports: readonly SegmentReport[],
  isWhole: (record: Uint8Array) => boolean,
  host: Host,
): Promise<number> {
  let quarantined = 0;
  for (const report of reports.filter(isRepairable)) {
    const { path } = report.segment;
    const facts = { segment: path, damages: report.damageCount, first: report.damages[0] };
    try {
      if (isTornEnd(report)) await cutEnd(dataPath, report, host);
      else await rewrite(dataPath, report, isWhole, host);
      quarantined++;
      host.log.warn(facts, 'write-ahead log segment was damaged; whole records kept, original in quarantine');
    } catch (error) {
      host.log.error(
        { ...facts, error: errorText(error) },
        'write-ahead log segment could not be repaired; used as it is',
      );
    }
  }
  try {
    await fillGaps(`${dataPath}/wal`, host);
    await syncLast(`${dataPath}/wal`, host);
  } catch (error) {
    host.log.error({ error: errorText(error) }, 'the write-ahead log could not be put in order; used as it is');
  }
  return quarantined;
}

/** Only the last segment can be unsynced: a segment is synced before the next begins. */
async function syncLast(folder: string, host: Host): Promise<void> {
  const last = (await listSegments(host.fs, folder)).at(-1);
  if (!last) return;
  const file = await host.fs.open(last.path, 'rw');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await host.fs.syncDirectory(folder);
}

/** A segment that the disk would not give whole is left alone: it may next time. */
function isRepairable({ damageCount, isReadable }: SegmentReport): boolean {
  return damageCount > 0 && isReadable;
}

/** Nothing readable follows the first damage. */
function isTornEnd({ damages, endOffset }: SegmentReport): boolean {
  return (damages[0]?.offset ?? 0) >= endOffset;
}

async function cutEnd(dataPath: string, report: SegmentReport, host: Host): Promise<void> {
  const { segment, endOffset, sizeBytes } = report;
  await keepOriginal(dataPath, report, endOffset, host);
  const file = await host.fs.open(segment.path, 'rw');
  try {
    if ((await file.sizeBytes()) === sizeBytes) await file.truncate(endOffset);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function rewrite(
  dataPath: string,
  report: SegmentReport,
  isWhole: (record: Uint8Array) => boolean,
  host: Host,
): Promise<void> {
  const { path } = report.segment;
  await keepOriginal(dataPath, report, 0, host);
  const temporary = `${path}.tmp`;
  const file = await host.fs.open(temporary, 'w');
  try {
    await copyWhole(host, path, file, isWhole);
    await file.sync();
  } finally {
    await file.close();
  }
  await host.fs.rename(temporary, path);
  await host.fs.syncDirectory(path.slice(0, path.lastIndexOf('/')));
}

/** Frames every whole record of a segment anew into `target`, as it was stored. */
async function copyWhole(
  host: Host,
  path: string,
  target: FileHandle,
  isWhole: (record: Uint8Array) => boolean,
): Promise<void> {
  const framed = new ByteWriter(FLUSH_BYTES);
  let offset = 0;
  const scanner = new SegmentScanner({
    damage: () => undefined,
    record(stored, compression) {
      try {
        if (!isWhole(uncompressed(stored, compression))) return;
      } catch {
        // Counted as damage when the segment was read; it is what the rewriting leaves out.
        return;
      }
      frameRecord(framed, offset, stored, compression);
    },
  });
  const flush = async (): Promise<void> => {
    await target.write(framed.written(), offset);
    offset += framed.length;
    framed.clear();
  };
  await scanSegment(host.fs, path, scanner, () => (framed.length > FLUSH_BYTES ? flush() : undefined));
  await flush();
}

async function keepOriginal(dataPath: string, report: SegmentReport, from: number, host: Host): Promise<void> {
  const { segment, sizeBytes, damages, damageCount } = report;
  const first = damages[0];
  await quarantineCopy(
    host,
    dataPath,
    { path: segment.path, from, to: sizeBytes },
    {
      what: `write-ahead log segment ${segment.path}, bytes ${from} to ${sizeBytes}`,
      offset: first?.offset ?? from,
      error: first ? `${first.kind}: ${first.detail}` : 'unknown',
      lost: `${damageCount} damaged places; the records that touch them`,
    },
  );
}

/** An empty segment is a valid one: it stands in for a number that is missing. */
async function fillGaps(folder: string, host: Host): Promise<void> {
  const checkpoint = await findCheckpoint(host.fs, folder);
  const segments = (await listSegments(host.fs, folder)).filter(({ index }) => index > (checkpoint?.index ?? -1));
  let expected = checkpoint ? checkpoint.index + 1 : (segments[0]?.index ?? 0);
  let created = 0;
  for (const { index } of segments) {
    if (index - expected > GAP_MAX) return;
    for (; expected < index; expected++) {
      await (await host.fs.open(`${folder}/${segmentName(expected)}`, 'w')).close();
      created++;
    }
    expected = index + 1;
  }
  if (created === 0) return;
  await host.fs.syncDirectory(folder);
  host.log.warn({ folder, segments: created }, 'write-ahead log segments were missing; empty ones stand in for them');
}
