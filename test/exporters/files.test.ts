import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileReader } from '../../exporters/files.ts';

describe('file reader', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'narthex-files-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  test('reads a file again through the same descriptor', () => {
    const files = new FileReader(10);
    const path = write('a', 'one');
    expect(files.text(path)).toBe('one');
    writeFileSync(path, 'three');
    expect(files.text(path)).toBe('three');
    expect(files.keptCount).toBe(1);
    files.close();
    expect(files.keptCount).toBe(0);
  });

  test('keeps no more descriptors than it may', () => {
    const files = new FileReader(2);
    for (const name of ['a', 'b', 'c', 'd']) expect(files.text(write(name, name))).toBe(name);
    expect(files.keptCount).toBe(2);
    files.close();
  });

  test('lets go of a folder that is gone', () => {
    const files = new FileReader(10);
    files.text(write('a', 'x'));
    files.forget(folder);
    expect(files.keptCount).toBe(0);
  });

  test('reads files larger than its first buffer, also of a kernel that hands out a page at a time', () => {
    const files = new FileReader(10);
    const content = Array.from({ length: 60_000 }, (_, i) => `line ${i}`).join('\n');
    expect(files.text(write('large', content))).toBe(content);
    files.close();
    // One read of /proc/self/maps is a page at most.
    const maps = files.longText('/proc/self/maps');
    expect(maps.length).toBeGreaterThan(8192);
    expect(maps.split('\n').at(-2)).toMatch(/vsyscall|vdso|stack|\.so|node/);
  });

  test('says what is missing, or nothing when asked to try', () => {
    const files = new FileReader(10);
    expect(() => files.text(join(folder, 'none'))).toThrow(/ENOENT/);
    expect(files.tryText(join(folder, 'none'))).toBeUndefined();
    expect(files.tryTextOnce(join(folder, 'none'))).toBeUndefined();
    expect(files.list(join(folder, 'none'))).toEqual([]);
    expect(files.tryStat(join(folder, 'none'))).toBeUndefined();
    expect(files.tryLink(folder)).toBeUndefined();
  });

  test('files below a process are never kept', () => {
    const files = new FileReader(10);
    expect(files.tryTextOnce(write('dev', 'eth0'))).toBe('eth0');
    expect(files.keptCount).toBe(0);
  });
});
