// The database on a disk that fails and fills up: what a reader sees is what was acknowledged, and a restart after a
// kill shows exactly that again.
import { expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import { SampleBatch } from '../../model/sample.ts';
import { Db } from '../../tsdb/db.ts';
import { DEFAULT_DB_OPTIONS, FSYNC_POLICIES } from '../../tsdb/options.ts';
import { MetricRegistry } from '../../util/metrics.ts';
import { allSamples } from '../support/db.ts';
import { SimDisk, SimProcess } from '../support/sim-host.ts';

const SEEDS = process.env['NARTHEX_LONG'] === undefined ? 15 : 500;
const SERIES = 6;

function linesOf(n: number): string[] {
  return Array.from({ length: SERIES }, (_, i) => `${labelsOf(n, i).toString()} ${1000 + n} ${n * 10 + i}`);
}

/** One series in six is new every eight commits. */
function labelsOf(n: number, i: number): Labels {
  return Labels.fromObject({ __name__: 'x', i: String(i), pod: i === 0 ? `p${n >> 3}` : 'steady' });
}

function commit(db: Db, n: number): Promise<unknown> {
  const batch = new SampleBatch();
  for (let i = 0; i < SERIES; i++) batch.append(db.appender.seriesRef(labelsOf(n, i)), 1000 + n, n * 10 + i);
  return db.appender.commit(batch);
}

async function simulate(seed: number): Promise<void> {
  const disk = new SimDisk(seed);
  const { random } = disk;
  const options = { ...DEFAULT_DB_OPTIONS, minFreeBytes: 0, walFsync: FSYNC_POLICIES[random.below(3)]! };
  const acked = new Set<string>();
  let n = 0;
  for (let life = 0; life < 3; life++) {
    const process = new SimProcess(disk);
    const db = (await process.drive(Db.open(options, process, new MetricRegistry())))!;
    await process.drive(db.replay());
    expect(allSamples(db.queryable).sort()).toEqual([...acked].sort());
    for (let round = 0; round < 15; round++) {
      const chance = random.next();
      if (chance < 0.15) disk.fail({ operation: 'write', after: 1 + random.below(2), code: 'EIO' });
      else if (chance < 0.25) disk.capacityBytes = disk.usedBytes + random.below(400);
      else if (chance < 0.5) disk.capacityBytes = Infinity;
      const commits = Array.from({ length: 1 + random.below(4) }, () => {
        const number = n++;
        return commit(db, number).then(
          () => linesOf(number).forEach((line) => void acked.add(line)),
          () => undefined,
        );
      });
      await process.drive(Promise.all(commits));
      expect(allSamples(db.queryable).sort()).toEqual([...acked].sort());
      await process.advance(random.next() * 300);
    }
    disk.heal();
    disk.capacityBytes = Infinity;
    if (random.next() < 0.3) await process.drive(db.close());
    process.die('kill');
  }
  expect(acked.size).toBeGreaterThan(0);
}

test('what readers see is what was acknowledged, whatever the disk does, and after a kill too', async () => {
  const first = Number(process.env['NARTHEX_SEED'] ?? 1);
  const count = process.env['NARTHEX_SEED'] === undefined ? SEEDS : 1;
  for (let seed = first; seed < first + count; seed++) {
    try {
      await simulate(seed);
    } catch (error) {
      throw new Error(`repeat with NARTHEX_SEED=${seed}`, { cause: error });
    }
  }
}, 600_000);
