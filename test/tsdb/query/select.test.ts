import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../../model/labels.ts';
import { Matcher } from '../../../model/matcher.ts';
import { SampleBatch, SampleColumns } from '../../../model/sample.ts';
import { Head } from '../../../tsdb/head/head.ts';
import { openHead } from '../../../tsdb/head/head-querier.ts';
import { compareUtf8 } from '../../../util/utf8.ts';

const NOW = 1_700_000_000_000;
const clock = { nowMs: () => NOW, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
const isLong = process.env['NARTHEX_LONG'] !== undefined;
const NAMES = ['__name__', 'a', 'b', 'c', 'ü'];
const VALUES = ['', 'x', 'y', 'xy', 'z1', 'z2', 'ö'];

const labelsArbitrary = fc
  .array(fc.tuple(fc.constantFrom(...NAMES.slice(0, 4)), fc.constantFrom(...VALUES)), { maxLength: 4 })
  .map((pairs) => Labels.fromPairs(pairs));
const matcherArbitrary = fc.oneof(
  fc
    .tuple(fc.constantFrom('=' as const, '!=' as const), fc.constantFrom(...NAMES), fc.constantFrom(...VALUES, 'none'))
    .map(([type, name, value]) => new Matcher(type, name, value)),
  fc
    .tuple(
      fc.constantFrom('=~' as const, '!~' as const),
      fc.constantFrom(...NAMES),
      fc.constantFrom('', '.*', '.+', 'x|y', 'x.*', 'z[12]', '(x|)', 'none', '.*ö'),
    )
    .map(([type, name, value]) => new Matcher(type, name, value)),
);

function sorted(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort(compareUtf8);
}

// Series are added in two steps, and asked for before, between and after: the second answer builds on the first.
test('any matchers select what a plain filter selects, also when series join', async () => {
  const property = fc.asyncProperty(
    fc.array(labelsArbitrary, { maxLength: 40 }),
    fc.array(labelsArbitrary, { maxLength: 40 }),
    fc.array(fc.array(matcherArbitrary, { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
    async (first, second, selectors) => {
      const head = new Head({ clock, maxSeries: 0 });
      const reader = openHead(head.share(), head.acquireReaderSlot());
      const known = new Map<string, Labels>();
      let time = NOW;
      for (const added of [[], first, second]) {
        const batch = new SampleBatch();
        time++;
        for (const labels of added) known.set(labels.key(), labels);
        for (const labels of known.values()) batch.append(head.seriesRef(labels), time, batch.count);
        await head.commit(batch);
        const all = [...known.values()].sort((a, b) => Labels.compare(a, b));
        const querier = reader.querier(-Infinity, Infinity);
        for (const matchers of selectors) {
          const expected = all.filter((labels) =>
            matchers.every((matcher) => matcher.matches(labels.get(matcher.name))),
          );
          const set = querier.select(matchers, { startMs: time, endMs: time });
          expect(Array.from({ length: set.count }, (_, i) => set.labels(i).flat)).toEqual(
            expected.map(({ flat }) => flat),
          );
          const limited = querier.select(matchers, { startMs: time, endMs: time, limit: 2 });
          expect(limited.count).toBe(Math.min(2, expected.length));
          const names = expected.flatMap(({ flat }) => flat.filter((_, i) => i % 2 === 0));
          expect(querier.labelNames(matchers, 0)).toEqual(sorted(names));
          expect(querier.labelNames(matchers, 2)).toEqual(sorted(names).slice(0, 2));
          for (const name of NAMES) {
            const values = sorted(expected.map((labels) => labels.get(name)).filter((value) => value !== ''));
            expect(querier.labelValues(name, matchers, 0)).toEqual(values);
            expect(querier.labelValues(name, matchers, 1)).toEqual(values.slice(0, 1));
          }
        }
        querier.close();
      }
    },
  );
  await fc.assert(property, { numRuns: isLong ? 2000 : 25, seed: 5 });
});

test('a text that is no UTF-8 matches no label', async () => {
  const head = new Head({ clock, maxSeries: 0 });
  const reader = openHead(head.share(), head.acquireReaderSlot());
  const batch = new SampleBatch();
  batch.append(head.seriesRef(Labels.fromObject({ a: '\ufffd' })), NOW, 1);
  await head.commit(batch);
  const querier = reader.querier(-Infinity, Infinity);
  const count = (value: string): number =>
    querier.select([new Matcher('=', 'a', value)], { startMs: NOW, endMs: NOW }).count;
  expect(count('\udcff')).toBe(0);
  expect(count('\ufffd')).toBe(1);
});

test('a pair of many series is walked through all its blocks', async () => {
  const head = new Head({ clock, maxSeries: 0 });
  const reader = openHead(head.share(), head.acquireReaderSlot());
  const batch = new SampleBatch();
  for (let i = 0; i < 100; i++) {
    batch.append(head.seriesRef(Labels.fromObject({ job: i % 3 === 0 ? 'a' : 'b', i: String(i) })), NOW, i);
    if (i % 7 === 0) {
      const querier = reader.querier(-Infinity, Infinity);
      await head.commit(batch);
      batch.clear();
      querier.close();
      const now = reader.querier(-Infinity, Infinity);
      const set = now.select([new Matcher('=', 'job', 'b')], { startMs: NOW, endMs: NOW });
      const out = new SampleColumns();
      let sum = 0;
      for (let j = 0; j < set.count; j++) {
        set.read(j, NOW, NOW, out);
        sum += out.values[0]!;
      }
      const expected = Array.from({ length: i + 1 }, (_, j) => j).filter((j) => j % 3 !== 0);
      expect(set.count).toBe(expected.length);
      expect(sum).toBe(expected.reduce((total, j) => total + j, 0));
      now.close();
    }
  }
});
