import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createExporters, HOST_COLLECTORS } from '../../../exporters/main.ts';
import { parseSeries } from '../../support/exporter-fixture.ts';

describe('cpu collector', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'narthex-cpu-'));
    mkdirSync(join(root, 'proc'));
  });

  afterEach(() => rmSync(root, { recursive: true }));

  test('a counter that steps back keeps its value, a processor that was replaced starts anew', async () => {
    const collectors = Object.fromEntries(Object.keys(HOST_COLLECTORS).map((name) => [name, name === 'cpu']));
    const exporters = createExporters({
      procfs: join(root, 'proc'),
      sysfs: join(root, 'sys'),
      dockerSocket: '',
      collectors,
    });
    const idleAfter = async (line: string): Promise<(number | undefined)[]> => {
      writeFileSync(join(root, 'proc/stat'), `cpu  1 2 3\n${line}\nintr 5\n`);
      const series = parseSeries(await exporters.host());
      return ['idle', 'iowait', 'steal'].map((mode) => series.get(`node_cpu_seconds_total{cpu="0",mode="${mode}"}`));
    };
    expect(await idleAfter('cpu0 100 0 100 5000 70 0 0 9 0 0')).toEqual([50, 0.7, 0.09]);
    expect(await idleAfter('cpu0 100 0 100 4990 60 0 0 9 0 0')).toEqual([50, 0.7, 0.09]);
    expect(await idleAfter('cpu0 100 0 100 10 5 0 0 1 0 0')).toEqual([0.1, 0.05, 0.01]);
    // Kernels before 2.6.33 have fewer columns.
    expect(await idleAfter('cpu0 100 0 100 20 5')).toEqual([0.2, 0.05, 0.01]);
    exporters.close();
  });
});
