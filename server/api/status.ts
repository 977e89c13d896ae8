import { hostname } from 'node:os';
import { CodedError } from '../../util/errors.ts';
import { formatDuration } from '../../model/time.ts';
import type { BuildInfoData, RuntimeInfoData, TsdbStatusData } from '../../model/http-api.ts';
import type { DbStats } from '../../tsdb/db.ts';
import type { IndexStats } from '../../tsdb/head/index-stats.ts';
import type { Flags } from '../flags.ts';
import { COMPATIBLE_VERSION, RUNTIME_VERSION, VERSION } from '../version.ts';
import type { QueryPool } from '../workers/query-pool.ts';
import { envelope } from './json.ts';
import { json, text, type ApiRequest, type Route } from './http.ts';

/** What the status pages show of the running server. */
export interface ServerStatus {
  readonly startMs: number;
  readonly nowMs: () => number;
  readonly flags: Flags;
  /** Secrets hidden. */
  readonly configYaml: () => string;
  readonly lastReload: () => { readonly isSuccess: boolean; readonly timeMs: number };
  /** undefined before the database is open. */
  readonly dbStats: () => DbStats | undefined;
  /** Damages of the log met at the start. */
  readonly corruptionCount: () => number;
  readonly walReplay: () => { readonly min: number; readonly max: number; readonly current: number };
  readonly memoryBudgetBytes: number;
  readonly threadCount: () => number;
}

const TSDB_LIMIT_MAX = 10_000;

export function statusRoutes(status: ServerStatus, pool: QueryPool): Route[] {
  const get = (path: string, handle: Route['handle'], whileStarting = false): Route => ({
    path: `api/v1/status/${path}`,
    methods: ['GET'],
    isApi: true,
    whileStarting,
    handle,
  });
  return [
    get('buildinfo', () => json(envelope(buildInfo()))),
    get('runtimeinfo', () => json(envelope(runtimeInfo(status)))),
    get('config', () => json(envelope({ yaml: status.configYaml() }))),
    get('flags', () => json(envelope(status.flags.shown()))),
    get('walreplay', () => json(envelope(status.walReplay())), true),
    get('tsdb', async (request) => json(envelope(await tsdbStatus(status, pool, request)))),
    get('tsdb/blocks', () => json(envelope({ blocks: [] }))),
    {
      path: 'version',
      methods: ['GET'],
      isApi: false,
      whileStarting: true,
      handle: () => text(200, JSON.stringify(buildInfo())),
    },
  ];
}

function buildInfo(): BuildInfoData {
  return {
    version: COMPATIBLE_VERSION,
    revision: VERSION,
    branch: '',
    buildUser: '',
    buildDate: '',
    goVersion: RUNTIME_VERSION,
  };
}

function runtimeInfo(status: ServerStatus): RuntimeInfoData {
  const { isSuccess, timeMs } = status.lastReload();
  return {
    startTime: new Date(status.startMs).toISOString(),
    CWD: process.cwd(),
    hostname: hostname(),
    serverTime: new Date(status.nowMs()).toISOString(),
    reloadConfigSuccess: isSuccess,
    lastConfigTime: new Date(timeMs).toISOString(),
    corruptionCount: status.corruptionCount(),
    goroutineCount: status.threadCount(),
    GOMAXPROCS: status.threadCount(),
    GOMEMLIMIT: status.memoryBudgetBytes,
    GOGC: '',
    GODEBUG: '',
    storageRetention: retentionText(status.flags),
  };
}

/** Everything is kept until blocks are written and deleted; a flag that says otherwise is shown as given. */
function retentionText(flags: Flags): string {
  const parts: string[] = [];
  if (flags.isSet('storage.tsdb.retention.time'))
    parts.push(formatDuration(flags.duration('storage.tsdb.retention.time')));
  if (flags.bytes('storage.tsdb.retention.size') > 0) parts.push(flags.text('storage.tsdb.retention.size'));
  return parts.join(' or ');
}

async function tsdbStatus(
  status: ServerStatus,
  pool: QueryPool,
  { params, signal }: ApiRequest,
): Promise<TsdbStatusData> {
  const limitText = params.text('limit');
  const limit = limitText === '' ? 10 : Number(limitText);
  if (!/^\+?\d*$/.test(limitText) || limit < 1) throw new CodedError('bad_data', 'limit must be a positive number');
  if (limit > TSDB_LIMIT_MAX) throw new CodedError('bad_data', `limit must not exceed ${TSDB_LIMIT_MAX}`);
  const answer = await pool.run({ type: 'cardinality', limit }, { timeoutMs: undefined, gzip: false, signal });
  const body = JSON.parse(Buffer.from(answer.bytes).toString()) as IndexStats & { readonly error?: string };
  if (body.error !== undefined) throw new CodedError('internal', body.error);
  const { pairCount, ...lists } = body;
  const stats = status.dbStats();
  const headStats = {
    numSeries: stats?.seriesCount ?? 0,
    numLabelPairs: pairCount,
    chunkCount: stats?.chunkCount ?? 0,
    minTime: stats?.minTime ?? 0,
    maxTime: stats?.maxTime ?? 0,
  };
  return { headStats, ...lists };
}
