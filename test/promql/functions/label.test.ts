import { describe, expect, test } from 'vitest';
import { instantQuery, rowsOf, storageFrom } from '../../support/promql.ts';

describe('of labels', () => {
  const storage = storageFrom('m{a="x-1",b="z"} 1');
  const labelsOf = async (query: string): Promise<string> =>
    rowsOf((await instantQuery(query, storage, 0)).result).join();

  test.each([
    ['label_replace(m, "c", "$2-$1", "a", "(.*)-(.*)")', '{__name__="m", a="x-1", b="z", c="1-x"} 1@0'],
    ['label_replace(m, "c", "${n}$$", "a", "(?P<n>x).*")', '{__name__="m", a="x-1", b="z", c="x$"} 1@0'],
    ['label_replace(m, "b", "$1x", "a", "(.*)")', '{__name__="m", a="x-1"} 1@0'],
    ['label_replace(m, "b", "new", "a", "x")', '{__name__="m", a="x-1", b="z"} 1@0'],
    ['label_replace(m, "b", "none", "nope", "")', '{__name__="m", a="x-1", b="none"} 1@0'],
    ['label_join(m, "c", "/", "a", "nope", "b")', '{__name__="m", a="x-1", b="z", c="x-1//z"} 1@0'],
    ['sort_by_label(m, "a")', '{__name__="m", a="x-1", b="z"} 1@0'],
  ])('%s', async (query, expected) => {
    expect(await labelsOf(query)).toBe(expected);
  });

  test('labels sort in natural order', async () => {
    const many = storageFrom(...['n10', 'n9', 'n1', 'm2', 'n09'].map((name) => `m{i="${name}"} 1`));
    const { result } = await instantQuery('sort_by_label(m, "i")', many, 0);
    expect(rowsOf(result).map((row) => /i="(\w+)"/.exec(row)![1])).toEqual(['m2', 'n1', 'n09', 'n9', 'n10']);
  });

  test('info adds the labels of target_info', async () => {
    const lines = ['m{instance="i",job="j",v="own"} 1', 'target_info{instance="i",job="j",v="other",w="1"} 1'];
    const { result } = await instantQuery('info(m)', storageFrom(...lines), 0);
    expect(rowsOf(result)).toEqual(['{__name__="m", instance="i", job="j", v="own", w="1"} 1@0']);
  });
});
