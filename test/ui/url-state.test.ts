import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEFAULT_PANEL,
  chooseStepMs,
  formatPanels,
  nextRangeMs,
  parsePanels,
  parseStep,
} from '../../ui/console/url-state.ts';
import type { PanelState, Resolution } from '../../ui/console/url-state.ts';

const resolution = fc.oneof(
  fc.record({ type: fc.constant('auto' as const), density: fc.constantFrom('low', 'medium', 'high') }),
  fc.record({ type: fc.constantFrom('fixed', 'custom'), stepMs: fc.integer({ min: 1, max: 10_000_000 }) }),
) as fc.Arbitrary<Resolution>;
const panel = fc.record({
  expr: fc.string({ unit: 'grapheme' }),
  tab: fc.constantFrom('table' as const, 'graph' as const),
  rangeMs: fc.integer({ min: 1, max: 10_000_000_000 }),
  endMs: fc.option(
    fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    { nil: undefined },
  ),
  resolution,
  displayMode: fc.constantFrom('lines' as const, 'stacked' as const),
}) as fc.Arbitrary<PanelState>;

test('what a URL says is what was shown', () => {
  fc.assert(
    fc.property(fc.array(panel, { minLength: 1, maxLength: 4 }), (panels) => {
      expect(parsePanels(formatPanels(panels))).toEqual(panels);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('links of Prometheus 2 and 3 open the same graph', () => {
  const old = '?g0.expr=up&g0.tab=0&g0.stacked=1&g0.range_input=2h&g0.end_input=2026-01-01%2012%3A00&g0.step_input=30';
  expect(parsePanels(old)).toEqual([
    {
      expr: 'up',
      tab: 'graph',
      rangeMs: 7_200_000,
      endMs: Date.UTC(2026, 0, 1, 12),
      resolution: { type: 'custom', stepMs: 30_000 },
      displayMode: 'stacked',
    },
  ]);
  const now = '?g0.expr=a&g0.show_tree=0&g0.tab=table&g1.expr=b&g1.tab=graph&g1.res_type=fixed&g1.res_step=10';
  expect(parsePanels(now)).toEqual([
    { ...DEFAULT_PANEL, expr: 'a' },
    { ...DEFAULT_PANEL, expr: 'b', tab: 'graph', resolution: { type: 'fixed', stepMs: 10_000 } },
  ]);
});

test('nonsense in a URL falls back to the default', () => {
  const bad = '?g0.expr=up&g0.tab=xyz&g0.range_input=-1&g0.end_input=soon&g0.res_type=fixed&g0.res_step=0';
  expect(parsePanels(bad)).toEqual([{ ...DEFAULT_PANEL, expr: 'up' }]);
  expect(parsePanels('')).toEqual([DEFAULT_PANEL]);
  expect(parsePanels('?g1.expr=lost')).toEqual([DEFAULT_PANEL]);
});

test('no step asks for more points than Prometheus gives', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 * 86_400_000 }), resolution, (rangeMs, chosen) => {
      expect(rangeMs / chooseStepMs(rangeMs, chosen)).toBeLessThanOrEqual(11_000);
    }),
    { numRuns: 300, seed: 2 },
  );
  expect(chooseStepMs(3_600_000, { type: 'auto', density: 'medium' })).toBe(14_000);
  expect(chooseStepMs(60_000, { type: 'auto', density: 'high' })).toBe(1000);
});

test('a step is seconds or a duration', () => {
  expect(['15', '0.5', '1m30s', '0', '-3', 'x', ''].map(parseStep)).toEqual([
    15_000,
    500,
    90_000,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('ranges step through the usual ones and stop at the ends', () => {
  expect(nextRangeMs(3_600_000, 1)).toBe(7_200_000);
  expect(nextRangeMs(3_500_000, -1)).toBe(1_800_000);
  expect(nextRangeMs(1000, -1)).toBe(1000);
});
