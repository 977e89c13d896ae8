// A process that commits to a database until it is killed, and says what was acknowledged: `acked <n>` per commit, on a
// pipe that outlives it. Arguments: data folder, number of the first commit.
import { writeSync } from 'node:fs';
import { Labels } from '../../model/labels.ts';
import { SampleBatch } from '../../model/sample.ts';
import { Db } from '../../tsdb/db.ts';
import { DEFAULT_DB_OPTIONS } from '../../tsdb/options.ts';
import { MetricRegistry } from '../../util/metrics.ts';
import { createNodeHost } from '../../util/node-host.ts';

const SERIES = 50;
const WRITERS = 4;

const [path = '', first = '0'] = process.argv.slice(2);
const silent = (): void => undefined;
const host = createNodeHost({ debug: silent, info: silent, warn: silent, error: silent });
const options = { ...DEFAULT_DB_OPTIONS, path, walSegmentBytes: 1 << 20 };
const db = await Db.open(options, host, new MetricRegistry());
await db.replay();
writeSync(1, 'ready\n');

let next = Number(first);

async function write(): Promise<void> {
  const batch = new SampleBatch();
  for (;;) {
    const n = next++;
    batch.clear();
    for (let i = 0; i < SERIES; i++) {
      // A tenth of the series is new every 20 commits.
      const pod = i < SERIES / 10 ? `pod-${Math.floor(n / 20)}` : 'steady';
      const labels = Labels.fromObject({ __name__: 'kill_total', i: String(i), pod });
      batch.append(db.appender.seriesRef(labels), 1_700_000_000_000 + n * 10, n * 100 + i);
    }
    const { storedCount } = await db.appender.commit(batch);
    if (storedCount === SERIES) writeSync(1, `acked ${n}\n`);
  }
}

await Promise.all(Array.from({ length: WRITERS }, write));
