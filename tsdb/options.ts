// Options of the database, with units and defaults; server/flags.ts maps the --storage.tsdb.* flags onto them.
import type { RecordCompression } from './wal/segment.ts';

/** When the log is fsynced: after each group of commits, at most an interval after a commit, or when a segment ends. */
export type FsyncPolicy = 'interval' | 'commit' | 'segment';
export const FSYNC_POLICIES: readonly FsyncPolicy[] = ['interval', 'commit', 'segment'];

const MIB = 1024 * 1024;
export const SEGMENT_BYTES_MIN = 10 * MIB;
export const SEGMENT_BYTES_MAX = 256 * MIB;

export interface DbOptions {
  /** --storage.tsdb.path */
  readonly path: string;
  /** --storage.tsdb.no-lockfile: true leaves the directory unlocked. */
  readonly noLockfile: boolean;
  /** --storage.tsdb.retention.time; 0 keeps everything. */
  readonly retentionMs: number;
  /** --storage.tsdb.wal-compression and .wal-compression-type */
  readonly walCompression: RecordCompression;
  /** --storage.tsdb.wal-segment-size, within SEGMENT_BYTES_MIN and _MAX */
  readonly walSegmentBytes: number;
  /** --storage.tsdb.wal-fsync */
  readonly walFsync: FsyncPolicy;
  /** --storage.tsdb.wal-fsync-interval: a power loss costs at most this much of what was acknowledged. */
  readonly walFsyncIntervalMs: number;
  /** --storage.tsdb.max-head-series; 0 is no limit. */
  readonly maxHeadSeries: number;
  /** --storage.tsdb.min-free-disk; undefined: the larger of 1 % of the disk and 64 MiB, at most 1 GiB. */
  readonly minFreeBytes: number | undefined;
}

export const DEFAULT_DB_OPTIONS: DbOptions = {
  path: 'data',
  noLockfile: false,
  retentionMs: 15 * 24 * 3_600_000,
  walCompression: 'snappy',
  walSegmentBytes: 128 * MIB,
  walFsync: 'interval',
  walFsyncIntervalMs: 1000,
  maxHeadSeries: 0,
  minFreeBytes: undefined,
};
