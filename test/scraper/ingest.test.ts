import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Labels } from '../../model/labels.ts';
import { compileRelabel, DEFAULT_RELABEL } from '../../model/relabel.ts';
import { SampleBatch } from '../../model/sample.ts';
import { Body } from '../../scraper/body.ts';
import { Ingest, type IngestRules } from '../../scraper/ingest.ts';
import { FakeAppender, rowsOf, type Row } from './support.ts';

const RULES: IngestRules = {
  targetLabels: Labels.fromObject({ job: 'j' }),
  honorLabels: false,
  metricRelabel: [],
  nameValidation: 'utf8',
  labelLimit: 0,
  labelNameLengthLimit: 0,
  labelValueLengthLimit: 0,
  honorTimestamps: true,
  trackTimestampsStaleness: false,
  sampleLimit: 0,
};

/** Scrapes one target's bodies one after the other, a second apart. */
class Scrapes {
  readonly appender = new FakeAppender();
  readonly ingest: Ingest;
  #timeMs = 0;

  constructor(rules: Partial<IngestRules> = {}) {
    this.ingest = new Ingest({ ...RULES, ...rules }, 7);
  }

  /** The rows of a scrape; its error after them when it failed. */
  scrape(text: string, linesAtOnce = 1000): { rows: Row[]; error?: string } {
    this.#timeMs += 1000;
    const body = new Body();
    body.append(Buffer.from(text));
    body.seal();
    const batch = new SampleBatch();
    try {
      this.ingest.begin(body, batch, this.#timeMs);
      while (!this.ingest.run(linesAtOnce));
      this.ingest.finish(this.appender);
      return { rows: rowsOf(batch, this.appender) };
    } catch (error) {
      this.ingest.fail(batch, this.#timeMs);
      return { rows: rowsOf(batch, this.appender), error: (error as Error).message };
    }
  }

  fail(): Row[] {
    this.#timeMs += 1000;
    const batch = new SampleBatch();
    this.ingest.fail(batch, this.#timeMs);
    return rowsOf(batch, this.appender);
  }
}

describe('staleness', () => {
  test('a series that vanished gets one marker, and is new when it comes back', () => {
    const s = new Scrapes();
    s.scrape('a 1\nb 2\nc 3\n');
    expect(s.scrape('a 1\nc 3\n').rows).toContainEqual(['b{job="j"}', 2000, 'stale']);
    expect(s.scrape('a 1\nc 3\n').rows).toHaveLength(2);
    expect(s.scrape('a 1\nb 4\nc 3\n').rows).toContainEqual(['b{job="j"}', 4000, 4]);
    expect(s.ingest.newSeriesCount).toBe(1);
  });

  test('a failed scrape marks every live series, once', () => {
    const s = new Scrapes();
    s.scrape('a 1\nb 2\n');
    expect(s.fail()).toEqual([
      ['a{job="j"}', 2000, 'stale'],
      ['b{job="j"}', 2000, 'stale'],
    ]);
    expect(s.fail()).toEqual([]);
    expect(s.scrape('a 1\nb 2\n').rows).toHaveLength(2);
    expect(s.ingest.newSeriesCount).toBe(0);
  });

  test('a body that breaks off stores nothing, marks what was live and creates no series', () => {
    const s = new Scrapes();
    s.scrape('a 1\nb 2\n');
    const { rows, error } = s.scrape('a 2\nnew 1\n}\n');
    expect(error).toContain('expected a valid start token, got "}" ("INVALID") while parsing: "}" (line 3: "}")');
    expect(rows).toEqual([
      ['a{job="j"}', 2000, 'stale'],
      ['b{job="j"}', 2000, 'stale'],
    ]);
    expect(s.appender.seriesCount).toBe(2);
    expect(s.scrape('new 1\n').rows).toEqual([['new{job="j"}', 3000, 1]]);
  });

  test('the same series written otherwise is not marked', () => {
    const s = new Scrapes();
    s.scrape('a{x="1",y="2"} 1\n');
    expect(s.scrape('a{y="2",x="1"} 1\n').rows).toEqual([['a{job="j",x="1",y="2"}', 2000, 1]]);
  });

  test('explicit timestamps are not tracked, unless asked for', () => {
    const s = new Scrapes();
    expect(s.scrape('a 1 500\n').rows).toEqual([['a{job="j"}', 500, 1]]);
    expect(s.scrape('a 2 600\n').rows).toEqual([['a{job="j"}', 600, 2]]);
    expect(s.scrape('').rows).toEqual([]);
    const tracked = new Scrapes({ trackTimestampsStaleness: true });
    tracked.scrape('a 1 500\n');
    expect(tracked.scrape('').rows).toEqual([['a{job="j"}', 2000, 'stale']]);
  });

  test('under other rules old series are marked and new ones begin', () => {
    const s = new Scrapes();
    s.scrape('a 1\nb 1\n');
    s.ingest.replaceRules({ ...RULES, targetLabels: Labels.fromObject({ job: 'k' }) });
    expect(s.scrape('a 1\nb 1\n').rows).toEqual([
      ['a{job="k"}', 2000, 1],
      ['b{job="k"}', 2000, 1],
      ['a{job="j"}', 2000, 'stale'],
      ['b{job="j"}', 2000, 'stale'],
    ]);
  });
});

describe('limits and labels', () => {
  test('beyond sample_limit the scrape fails, counts go on and no further series is made', () => {
    const s = new Scrapes({ sampleLimit: 2 });
    expect(s.scrape('a 1\nb 1\nc 1\n').error).toBe('sample limit exceeded');
    expect(s.ingest.scrapedCount).toBe(3);
    expect(s.appender.seriesCount).toBe(0);
    expect(s.scrape('c 1\na 1\n').rows).toHaveLength(2);
  });

  test('series refused by the head fail the scrape', () => {
    const s = new Scrapes();
    s.appender.seriesMax = 1;
    expect(s.scrape('a 1\nb 1\n').error).toBe('head series limit reached');
    s.appender.seriesMax = 9;
    expect(s.scrape('a 1\nb 1\n').rows).toHaveLength(2);
  });

  test('target labels win and what they displace is renamed; honor_labels turns it round', () => {
    const text = 'a{job="x",exported_job="y"} 1\n';
    expect(new Scrapes().scrape(text).rows[0]?.[0]).toBe('a{exported_exported_job="x",exported_job="y",job="j"}');
    expect(new Scrapes({ honorLabels: true }).scrape(text).rows[0]?.[0]).toBe('a{exported_job="y",job="x"}');
  });

  test('metric relabelling drops and renames, seen once', () => {
    const drop = compileRelabel({ ...DEFAULT_RELABEL, action: 'drop', sourceLabels: ['__name__'], regex: 'b' });
    const s = new Scrapes({ metricRelabel: [drop] });
    for (let i = 0; i < 3; i++) {
      expect(s.scrape('a 1\nb 1\n').rows).toHaveLength(1);
      expect([s.ingest.scrapedCount, s.ingest.addedCount]).toEqual([2, 1]);
    }
  });

  test.each([
    [{ labelLimit: 2 }, 'label_limit exceeded (metric: a, number of labels: 3, limit: 2)'],
    [
      { labelNameLengthLimit: 5 },
      'label_name_length_limit exceeded (metric: a, label name: __name__, length: 8, limit: 5)',
    ],
    [
      { labelValueLengthLimit: 4 },
      'label_value_length_limit exceeded (metric: a, label name: x, value: "ééé", length: 6, limit: 4)',
    ],
  ])('%j', (rules, message) => {
    expect(new Scrapes(rules).scrape('a{x="ééé"} 1\n').error).toBe(message);
  });

  test('a repeated label name fails the scrape', () => {
    expect(new Scrapes().scrape('a{b="1",b="2"} 1\n').error).toContain('label name "b" is not unique');
  });

  test('the second sample of a series is a duplicate, and samples far ahead are out of bounds', () => {
    const s = new Scrapes();
    expect(s.scrape(`a 1\na 2\nb 1 ${10 * 60_000 + 1001}\n`).rows).toEqual([['a{job="j"}', 1000, 1]]);
    expect([s.ingest.duplicateCount, s.ingest.outOfBoundsCount, s.ingest.addedCount]).toEqual([1, 1, 3]);
  });

  test('le is normalised where it first appears under its type', () => {
    const s = new Scrapes();
    const { rows } = s.scrape(
      '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\n# TYPE g gauge\ng{le="1"} 1\n',
    );
    expect(rows.map(([series]) => series)).toEqual([
      'h_bucket{job="j",le="1.0"}',
      'h_bucket{job="j",le="+Inf"}',
      'g{job="j",le="1"}',
    ]);
  });

  test('metadata is what the last body said', () => {
    const s = new Scrapes();
    s.scrape('# HELP a about\\na\n# TYPE a counter\na 1\n# HELP b old\nb 1\n');
    s.scrape('# HELP a about\\na\n# TYPE a counter\na 1\n');
    expect([...s.ingest.metadata()]).toEqual([['a', { type: 'counter', unit: '', help: 'about\na' }]]);
  });
});

test('any sequence of bodies gives the rows and markers that a naive reading gives', () => {
  const line = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.oneof(fc.integer(), fc.double({ noNaN: true })));
  const body = fc.uniqueArray(line, { selector: ([series]) => series, maxLength: 13 });
  const scrape = fc.record({ body, ok: fc.integer({ min: 0, max: 5 }), shuffle: fc.boolean() });
  const run = fc.property(fc.array(scrape, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (scrapes, atOnce) => {
    const s = new Scrapes();
    let live = new Set<string>();
    scrapes.forEach(({ body: lines, ok, shuffle }, i) => {
      const timeMs = (i + 1) * 1000;
      const ordered = shuffle ? lines : lines.toSorted(([a], [b]) => a - b);
      const broken = ok === 0;
      const text = ordered.map(([series, value]) => `m{s="${series}"} ${formatGo(value)}\n`).join('');
      const { rows, error } = s.scrape(broken ? `${text}{\n` : text, atOnce);
      expect(error !== undefined).toBe(broken);
      const now = new Set(broken ? [] : ordered.map(([series]) => `m{job="j",s="${series}"}`));
      const expected: Row[] = broken ? [] : ordered.map(([n, value]) => [`m{job="j",s="${n}"}`, timeMs, value]);
      for (const series of live) if (!now.has(series)) expected.push([series, timeMs, 'stale']);
      expect(new Set(rows.map(String))).toEqual(new Set(expected.map(String)));
      expect(rows).toHaveLength(expected.length);
      live = now;
    });
  });
  fc.assert(run, { numRuns: process.env['NARTHEX_LONG'] ? 5000 : 60, seed: 20_261_124 });
});

function formatGo(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}
