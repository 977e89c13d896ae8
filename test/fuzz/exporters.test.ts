import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExporters } from '../../exporters/main.ts';
import type { Exporters } from '../../exporters/main.ts';
import { hasExporterFixtures, unpackFixture } from '../support/exporter-fixture.ts';
import type { ExporterFixture } from '../support/exporter-fixture.ts';

/** A small seeded generator: the test says which seed failed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const MANGLES: readonly ((content: Buffer, random: (below: number) => number) => Buffer)[] = [
  (content, random) => content.subarray(0, random(content.length + 1)),
  () => Buffer.alloc(0),
  (content, random) => {
    const lines = content.toString('latin1').split('\n');
    for (let i = lines.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [lines[i], lines[j]] = [lines[j]!, lines[i]!];
    }
    return Buffer.from(lines.join('\n'), 'latin1');
  },
  (content, random) => {
    const bytes = Buffer.from(content);
    for (let i = 0; i < 8 && bytes.length > 0; i++) bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (content) => Buffer.from(content.toString('latin1').replaceAll(/\d+/g, '99999999999999999999'), 'latin1'),
  (content) => Buffer.concat([content, content, Buffer.from('\u0000\xff no newline', 'latin1')]),
  (content) => Buffer.from(content.toString('latin1').replaceAll(' ', '\t  '), 'latin1'),
];

/** Regular files below a folder. Links are not followed: those of sysfs form circles. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    return entry.isFile() ? [path] : [];
  });
}

const SEEDS = process.env['NARTHEX_LONG'] ? 100 : 6;

describe.skipIf(!hasExporterFixtures)('mangled kernel files (skipped where ../shared/conformance is not there)', () => {
  let fixture: ExporterFixture;
  let exporters: Exporters;
  let files: string[];

  beforeAll(() => {
    fixture = unpackFixture('cgroup-v2-docker');
    // Which cgroups exist is learnt from mountinfo, and remembered: whole, so that the rest is reached.
    files = [...filesIn(fixture.procfs), ...filesIn(fixture.sysfs)].filter((path) => !path.endsWith('mountinfo'));
    exporters = createExporters({ procfs: fixture.procfs, sysfs: fixture.sysfs, dockerSocket: '' });
  });

  afterAll(() => {
    exporters.close();
    fixture.remove();
  });

  test(`whatever the files hold, a scrape answers with well-formed numbers (${SEEDS} seeds)`, async () => {
    expect(files.length).toBeGreaterThan(500);
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = randomOf(seed);
      const originals = new Map<string, Buffer>();
      for (const path of files) {
        if (random(3) > 0) continue;
        const content = readFileSync(path);
        originals.set(path, content);
        writeFileSync(path, MANGLES[random(MANGLES.length)]!(content, random));
      }
      const body = (await exporters.host()) + (await exporters.containers());
      for (const [path, content] of originals) writeFileSync(path, content);
      for (const line of body.trimEnd().split('\n')) {
        if (line.startsWith('#')) continue;
        const match = /^[a-zA-Z_:][\w:]*(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/.exec(line);
        if (!match || !Number.isFinite(Number(match[1]))) expect(`seed ${seed}: ${line}`).toBe('a sample');
      }
    }
    // The files are whole again, and nothing of the mangled ones is remembered.
    const body = (await exporters.host()) + (await exporters.containers());
    expect(body).toMatch(/^container_memory_usage_bytes\{id="\/docker\//m);
    expect(body).toMatch(/^node_memory_MemTotal_bytes 3\.114242048e\+09$/m);
    expect(body).not.toMatch(/^node_scrape_collector_success\{collector="(meminfo|cpu|netdev|netstat)"\} 0$/m);
  }, 120_000);
});
