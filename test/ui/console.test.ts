import { describe, expect, test } from 'vitest';
import { locateFault, splitAt } from '../../ui/console/error-position.ts';
import { reasonForNone } from '../../ui/pages/containers-reason.ts';
import { fillExpr } from '../../ui/pages/panels.ts';
import { formatWindow, parseWindow, rateWindow, windowGrid } from '../../ui/pages/window-state.ts';
import { sortRows } from '../../ui/table/sort-rows.ts';
import type { ActiveTarget } from '../../model/http-api.ts';

describe('the place of a fault', () => {
  test('is read from line and column', () => {
    const query = 'sum(\n  rate(up[5m]) by\n)';
    const { text, offset } = locateFault('invalid parameter "query": 2:16: parse error: unexpected <by>', query);
    expect(text).toBe('parse error: unexpected <by>');
    expect(splitAt(query, offset!)).toEqual(['sum(\n  rate(up[5m]) ', 'by', '\n)']);
  });
  test('counts bytes, not UTF-16 units', () => {
    const query = 'up{a="äöü😀"} §';
    const column = new TextEncoder().encode('up{a="äöü😀"} ').length + 1;
    expect(query.slice(locateFault(`1:${column}: parse error: x`, query).offset)).toBe('§');
  });
  test('may be the end of the query, or nowhere', () => {
    expect(splitAt('sum(up', locateFault('1:7: parse error: unclosed left parenthesis', 'sum(up').offset!)).toEqual([
      'sum(up',
      '',
      '',
    ]);
    expect(locateFault('query timed out', 'up')).toEqual({ text: 'query timed out', offset: undefined });
    expect(locateFault('9:1: parse error: x', 'up').offset).toBeUndefined();
  });
});

describe('the window of the start page', () => {
  test('stands in the URL, what is as by default left out', () => {
    expect(formatWindow(parseWindow(''))).toBe('');
    const search = '?range=1h&end=2026-01-01+12%3A00%3A00&refresh=off&host=a%3A1';
    expect(formatWindow(parseWindow(search))).toBe(search);
  });
  test('lies on multiples of its step, so that refreshes line up', () => {
    for (const rangeMs of [300_000, 900_000, 3_600_000, 86_400_000]) {
      const grid = windowGrid({ ...parseWindow(''), rangeMs }, 1_795_495_627_123);
      expect(grid.start % grid.step).toBe(0);
      expect(grid.end % grid.step).toBe(0);
      expect(grid.end).toBeLessThanOrEqual(1_795_495_627);
      expect((grid.end - grid.start) / grid.step).toBeLessThanOrEqual(180);
    }
  });
  test('gives rate four steps, never under a minute', () => {
    expect(rateWindow({ start: 0, end: 900, step: 5 })).toBe('1m');
    expect(rateWindow({ start: 0, end: 86_400, step: 480 })).toBe('32m');
  });
});

test('a panel asks for the chosen host only where there are several', () => {
  const expr = 'rate(a{mode!="idle",$host}[$window]) / b{$host}';
  expect(fillExpr(expr, undefined, '1m')).toBe('rate(a{mode!="idle"}[1m]) / b');
  expect(fillExpr(expr, 'h"x', '2m')).toBe('rate(a{mode!="idle",instance="h\\"x"}[2m]) / b{instance="h\\"x"}');
});

test('rows without a value come last in either order', () => {
  const rows = [{ v: 2 }, { v: undefined }, { v: 10 }];
  const by = (row: { v: number | undefined }): number | undefined => row.v;
  expect(sortRows(rows, by, false).map(by)).toEqual([2, 10, undefined]);
  expect(sortRows(rows, by, true).map(by)).toEqual([10, 2, undefined]);
  expect(sortRows(['c10', 'c9'], (text) => text, false)).toEqual(['c9', 'c10']);
});

test('the page says why there are no containers', () => {
  const target = (health: ActiveTarget['health'], lastError = ''): ActiveTarget =>
    ({ scrapePool: 'containers', health, lastError }) as ActiveTarget;
  const reason = (...activeTargets: ActiveTarget[]): string =>
    reasonForNone({ activeTargets, droppedTargets: [], droppedTargetCounts: {} }).join(': ');
  expect(reason()).toMatch(/^Containers are not collected here: .*no scrape job "containers"/);
  expect(reason(target('down', 'connection refused'))).toBe(
    'The container exporter cannot be scraped: connection refused',
  );
  expect(reason(target('unknown'))).toMatch(/^Waiting for the first scrape/);
  expect(reason(target('up'))).toMatch(/^No container is running/);
});
