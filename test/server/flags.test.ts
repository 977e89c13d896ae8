import { describe, expect, test } from 'vitest';
import { FLAGS } from '../../server/flag-table.ts';
import { parseBytes, parseFlags, parseListenAddress, parseShare, usageText, type Flags } from '../../server/flags.ts';

function flags(...args: string[]): Flags {
  const parsed = parseFlags(args);
  if (parsed.type !== 'run') throw new Error(`${parsed.type} instead of flags`);
  return parsed.flags;
}

describe('server flags', () => {
  test('have a valid default, and are shown one and all', () => {
    const given = FLAGS.filter(({ type, default: initial }) => type !== 'bool' && initial !== '');
    const parsed = flags(...given.map((spec) => `--${spec.name}=${spec.default}`));
    expect(Object.keys(parsed.shown())).toHaveLength(FLAGS.length);
    expect(Object.keys(parsed.shown())).toEqual(FLAGS.map(({ name }) => name).sort());
    expect(new Set(FLAGS.map(({ name }) => name)).size).toBe(FLAGS.length);
  });

  test('are taken with = and with a following value', () => {
    expect(flags('--query.timeout=30s').duration('query.timeout')).toBe(30_000);
    expect(flags('--query.timeout', '1h30m').duration('query.timeout')).toBe(5_400_000);
    expect(flags().duration('query.timeout')).toBe(120_000);
  });

  test('switches have a negated form', () => {
    expect(flags('--web.enable-lifecycle').bool('web.enable-lifecycle')).toBe(true);
    expect(flags('--no-web.enable-lifecycle').bool('web.enable-lifecycle')).toBe(false);
    expect(flags('--no-storage.tsdb.wal-compression').bool('storage.tsdb.wal-compression')).toBe(false);
    expect(flags('--web.enable-lifecycle=false').bool('web.enable-lifecycle')).toBe(false);
  });

  test('may be repeated where the table says so', () => {
    const parsed = flags('--web.listen-address=:1', '--web.listen-address=:2', '--enable-feature=a,b');
    expect(parsed.list('web.listen-address')).toEqual([':1', ':2']);
    expect(parsed.list('enable-feature')).toEqual(['a', 'b']);
    expect(() => flags('--query.timeout=1s', '--query.timeout=2s')).toThrow("flag 'query.timeout' cannot be repeated");
  });

  test.each([
    ['--no.such.flag', "unknown long flag '--no.such.flag'"],
    ['--no-query.timeout', "unknown long flag '--no-query.timeout'"],
    ['-x', "unknown short flag '-x'"],
    ['word', 'unexpected word'],
    ['--query.timeout', "expected argument for flag '--query.timeout'"],
    ['--query.timeout=soon', 'not a valid duration string: "soon"'],
    ['--query.max-samples=many', 'strconv.ParseInt: parsing "many": invalid syntax'],
    ['--query.max-concurrency=0', '0 is out of range: 1 to 10000'],
    ['--log.level=loud', "enum value must be one of debug,info,warn,error, got 'loud'"],
    ['--web.listen-address=9090', '"9090" is not host:port'],
    ['--web.listen-address=:70000', 'is not host:port'],
    ['--storage.tsdb.wal-segment-size=1MB', 'is out of range'],
    ['--storage.tsdb.wal-segment-size=big', 'units: invalid big'],
    ['--web.cors.origin=(', 'web.cors.origin'],
    ['--auto-gomemlimit.ratio=x', 'strconv.ParseFloat'],
    ['--web.enable-lifecycle=maybe', 'unexpected maybe'],
  ])('%s is refused', (arg, message) => {
    expect(() => flags(arg)).toThrow(message);
  });

  test('without effect yet are named when given', () => {
    expect(flags('--rules.max-concurrent-evals=2', '--query.timeout=1m').withoutEffect()).toEqual([
      'rules.max-concurrent-evals',
    ]);
  });

  test('help and version come before anything else', () => {
    expect(parseFlags(['--help']).type).toBe('help');
    expect(parseFlags(['--query.timeout=1s', '--version']).type).toBe('version');
    expect(usageText()).toContain('--web.listen-address="127.0.0.1:9090" ...');
    expect(usageText()).toContain('--[no-]web.enable-lifecycle');
    expect(usageText()).not.toContain('samples-per-chunk');
  });
});

describe('flag values', () => {
  test('sizes are powers of 1024', () => {
    expect(parseBytes('512MB')).toBe(512 * 1024 * 1024);
    expect(parseBytes('1.5KiB')).toBe(1536);
    expect(parseBytes('0')).toBe(0);
    expect(() => parseBytes('-1MB')).toThrow('units: invalid -1MB');
  });

  test('listen addresses', () => {
    expect(parseListenAddress('127.0.0.1:9090')).toEqual({ host: '127.0.0.1', port: 9090 });
    expect(parseListenAddress(':9090')).toEqual({ host: undefined, port: 9090 });
    expect(parseListenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 });
  });

  test('shares of memory', () => {
    expect(parseShare('25%', 1000)).toBe(250);
    expect(parseShare('1GB', 1000)).toBe(1024 ** 3);
    expect(() => parseShare('0%', 1000)).toThrow('0% is not between 0% and 100%');
    expect(() => parseShare('101%', 1000)).toThrow('not between');
  });
});
