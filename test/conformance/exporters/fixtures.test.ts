import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExporters, HOST_COLLECTORS } from '../../../exporters/main.ts';
import {
  EXPORTER_FIXTURES,
  hasExporterFixtures,
  nameOf,
  parseSeries,
  parseTypes,
  unpackFixture,
} from '../../support/exporter-fixture.ts';
import type { ExporterFixture, FixtureName } from '../../support/exporter-fixture.ts';
import { serveContainers, startEngine } from '../../support/fake-engine.ts';
import type { FakeEngine } from '../../support/fake-engine.ts';

/** Families of collectors that node_exporter ran on the trees and that we do not have. */
const NOT_OURS = /^node_(buddyinfo_blocks|cgroups_.*|interrupts_total|softirqs_functions_total)$/;
const NOT_OUR_COLLECTORS = /collector="(buddyinfo|cgroups|interrupts|softirqs)"/;

describe.skipIf(!hasExporterFixtures).each<FixtureName>(['cgroup-v1-hybrid-docker', 'cgroup-v2-docker'])(
  '%s (skipped where ../shared/conformance is not there)',
  (name) => {
    let fixture: ExporterFixture;
    let engine: FakeEngine;

    beforeAll(async () => {
      fixture = unpackFixture(name);
      engine = await startEngine(serveContainers(fixture.inspected));
    });

    afterAll(async () => {
      await engine.close();
      fixture.remove();
    });

    function golden(suffix: string): string {
      return readFileSync(join(EXPORTER_FIXTURES, `${name}.${suffix}`), 'utf8');
    }

    test('host metrics are what node_exporter prints on the same tree', async () => {
      const wanted = golden('node_exporter-1.11.1.prom');
      const theirs = [...parseSeries(wanted)].filter(
        ([key]) => !NOT_OURS.test(nameOf(key)) && !NOT_OUR_COLLECTORS.test(key),
      );
      const ran = new Set(theirs.flatMap(([key]) => /success\{collector="(\w+)"/.exec(key)?.[1] ?? []));
      const collectors = Object.fromEntries(Object.keys(HOST_COLLECTORS).map((key) => [key, ran.has(key)]));
      const exporters = createExporters({ procfs: fixture.procfs, sysfs: fixture.sysfs, dockerSocket: '', collectors });
      const body = await exporters.host();
      exporters.close();
      const ours = [...parseSeries(body)].filter(([key]) => !key.includes('collector_duration'));
      expect(ours.map(([key]) => key).sort()).toEqual(theirs.map(([key]) => key).sort());
      const values = new Map(ours);
      // They divide pressure twice by 1000, we once by a million: the last digit may differ.
      const wrong = theirs.filter(([key, value]) => Math.abs(values.get(key)! - value) > Math.abs(value) * 1e-12);
      expect(wrong).toEqual([]);
      const theirTypes = parseTypes(wanted);
      for (const [family, type] of parseTypes(body)) {
        if (!family.includes('collector_duration'))
          expect(`${family} ${theirTypes.get(family)}`).toBe(`${family} ${type}`);
      }
    });

    test('container metrics have every expected line', async () => {
      const exporters = createExporters({
        procfs: fixture.procfs,
        sysfs: fixture.sysfs,
        dockerSocket: engine.socketPath,
      });
      const body = await exporters.containers();
      exporters.close();
      parseTypes(body);
      const ours = [...parseSeries(body)];
      const missing: string[] = [];
      for (const [key, value] of parseSeries(golden('expected-container.prom'))) {
        const labels = key.slice(key.indexOf('{') + 1, -1).split(/,(?=\w+=")/);
        const match = ours.filter(
          ([series]) => nameOf(series) === nameOf(key) && labels.every((label) => series.includes(label)),
        );
        const isEqual = match.length === 1 && Math.abs(match[0]![1] - value) <= Math.abs(value) * 1e-12;
        if (!isEqual)
          missing.push(`${key} ${value}; ours: ${match.map(([series, own]) => `${series} ${own}`).join(' | ')}`);
      }
      expect(missing).toEqual([]);
    });

    test('the engine is only asked with GET requests of the fixed list', () => {
      const allowed = /^GET (\/version|\/v1\.41\/containers\/json\?all=1|\/v1\.41\/containers\/[0-9a-f]{64}\/json)$/;
      expect(engine.requests.filter((request) => !allowed.test(request))).toEqual([]);
    });
  },
);
