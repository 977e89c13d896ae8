import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The dependency rule of docs/LAYOUT.md: which of our folders a folder may import, and which packages, where. */
const RULES: Readonly<Record<string, { ours: readonly string[]; packages: Readonly<Record<string, RegExp>> }>> = {
  util: { ours: [], packages: { re2js: /^util\/regexp\.ts$/, snappyjs: /^util\/compress\.ts$/ } },
  model: { ours: ['util'], packages: {} },
  tsdb: { ours: ['model', 'util'], packages: {} },
  promql: { ours: ['model', 'util'], packages: { chevrotain: /^promql\/parse\// } },
  scraper: { ours: ['model', 'util'], packages: { protobufjs: /^scraper\/format\/protobuf\.ts$/ } },
  rules: { ours: ['model', 'util'], packages: {} },
  remote: { ours: ['model', 'util'], packages: { protobufjs: /^remote\/wire\// } },
  exporters: { ours: ['model', 'util'], packages: {} },
  server: {
    ours: ['util', 'model', 'tsdb', 'promql', 'scraper', 'rules', 'remote', 'exporters'],
    packages: { fastify: /./, pino: /./, yaml: /^server\/config\// },
  },
  ui: {
    ours: ['model', 'util', 'promql'],
    packages: { preact: /./, 'preact/hooks': /./, '@preact/signals': /./, uplot: /^ui\/(graph\/|main\.tsx$)/ },
  },
};

/** `node:` modules and where they may be used; one that is not listed may be used by server and exporters. */
const NODE_MODULES: Readonly<Record<string, RegExp>> = {
  'node:worker_threads': /^server\/workers\//,
  'node:fs': /^(util\/node-host\.ts|exporters\/|server\/)/,
  'node:fs/promises': /^(util\/node-host\.ts|exporters\/|server\/)/,
  'node:timers': /^util\/node-host\.ts$/,
  'node:child_process': /^(util\/node-host\.ts|server\/)/,
  'node:crypto': /^(util\/md5\.ts|server\/)/,
  'node:zlib': /^(util\/compress\.ts|scraper\/inflater\.ts|server\/)/,
  'node:http': /^(exporters|server)\//,
  'node:net': /^(scraper\/http-client\.ts|scraper\/discovery\/|util\/node-host\.ts|exporters\/|server\/)/,
  'node:tls': /^(scraper\/http-client\.ts|scraper\/discovery\/|server\/)/,
};
const NODE_DEFAULT = /^(util\/node-host\.ts|exporters\/|server\/)/;

interface Source {
  readonly path: string;
  readonly text: string;
}

function readSources(folder: string): Source[] {
  const found: Source[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...readSources(path));
    else if (/\.tsx?$/.test(entry.name)) found.push({ path, text: readFileSync(join(root, path), 'utf8') });
  }
  return found;
}

const sources = Object.keys(RULES).flatMap((folder) => {
  try {
    return readSources(folder);
  } catch {
    return [];
  }
});

/** Every module a source names: static, re-exported and dynamic imports. */
function imports(source: Source): { name: string; line: number }[] {
  const pattern =
    /(?:^|[\s;])(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]/gm;
  return [...source.text.matchAll(pattern)].map((match) => ({
    name: match[1] ?? match[2] ?? match[3] ?? '',
    line: source.text.slice(0, match.index).split('\n').length,
  }));
}

function problemOf(source: Source, name: string): string | undefined {
  const folder = source.path.split('/')[0]!;
  const rule = RULES[folder]!;
  if (name.startsWith('.')) {
    const target = normalize(join(dirname(source.path), name));
    const targetFolder = target.split('/')[0]!;
    if (targetFolder === folder || rule.ours.includes(targetFolder)) return undefined;
    if (target === 'package.json' && folder === 'server') return undefined;
    return `${folder} may not import ${targetFolder}`;
  }
  if (name.startsWith('node:')) {
    return (NODE_MODULES[name] ?? NODE_DEFAULT).test(source.path) ? undefined : `${name} is not for this file`;
  }
  const place =
    rule.packages[name] ??
    rule.packages[
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/')
    ];
  return place?.test(source.path) ? undefined : `package ${name} is not for this file`;
}

/** Lines of a source without comments, with their numbers. */
function codeLines(source: Source): { code: string; line: number }[] {
  const blanked = source.text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  return blanked.split('\n').map((code, i) => ({ code: code.replace(/(^|\s)\/\/.*$/, ''), line: i + 1 }));
}

function offences(pattern: RegExp, where: (path: string) => boolean): string[] {
  const found: string[] = [];
  for (const source of sources.filter(({ path }) => where(path))) {
    for (const { code, line } of codeLines(source)) {
      if (pattern.test(code)) found.push(`${source.path}:${line} ${code.trim()}`);
    }
  }
  return found;
}

const isEngine = (path: string): boolean => /^(tsdb|promql|scraper|rules|remote|model)\//.test(path);

describe('architecture', () => {
  test('sees the sources it is meant to check', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.reduce((sum, source) => sum + imports(source).length, 0)).toBeGreaterThan(300);
  });

  test('imports follow the dependency rule', () => {
    const found: string[] = [];
    for (const source of sources) {
      for (const { name, line } of imports(source)) {
        const problem = problemOf(source, name);
        if (problem !== undefined) found.push(`${source.path}:${line} -> ${name}: ${problem}`);
      }
    }
    expect(found).toEqual([]);
  });

  test('there are no barrels and no default exports', () => {
    expect(sources.filter(({ path }) => /\/index\.tsx?$/.test(path)).map(({ path }) => path)).toEqual([]);
    expect(offences(/^export default/, () => true)).toEqual([]);
    expect(offences(/^export \* from/, () => true)).toEqual([]);
  });

  test('file names are kebab-case', () => {
    const odd = sources.filter(({ path }) => !/^[a-z0-9/-]+(\.worker|\.d)?\.tsx?$/.test(path));
    expect(odd.map(({ path }) => path)).toEqual([]);
  });

  test('engines take time, randomness and timers from Host only', () => {
    const banned = /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval|setImmediate)\b/;
    expect(offences(banned, isEngine)).toEqual([]);
  });

  test('views over shared buffers have an explicit length', () => {
    // A length-tracking view costs 19 ns per access instead of 0.6 (ARCHITECTURE section 3).
    const oneArgument = /new (?:DataView|\w+Array)\((?!\s*new )[\w.#!]*(?:[bB]uffer|[sS]ab|shared)[\w.#!]*\)/;
    expect(offences(oneArgument, (path) => path.startsWith('tsdb/') || path.startsWith('server/workers/'))).toEqual([]);
  });

  test('the engine of user patterns is never V8', () => {
    expect(offences(/new RegExp\(/, isEngine)).toEqual([]);
  });

  test('markup is never made from text in the console', () => {
    const sinks = /\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML)\b/;
    expect(offences(sinks, (path) => path.startsWith('ui/'))).toEqual([]);
  });

  test('worker entries are composition roots of under 60 lines', () => {
    const workers = sources.filter(({ path }) => path.endsWith('.worker.ts'));
    expect(workers.filter(({ path }) => !path.startsWith('server/workers/')).map(({ path }) => path)).toEqual([]);
    const long = workers.filter(({ text }) => text.split('\n').length > 60);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('every test stands where its source stands', () => {
    const tests = readSources('test').filter(({ path }) => path.endsWith('.test.ts'));
    const known = new Set(sources.map(({ path }) => path.replace(/\.tsx?$/, '')));
    const suites =
      /^test\/(system|browser|conformance|fault|fuzz|support|ui)\/|^test\/architecture|^test\/tsdb\/head\/stress\./;
    const lost = tests
      .map(({ path }) => path)
      .filter((path) => !suites.test(path) && !known.has(relative('test', path).replace(/\.test\.ts$/, '')));
    expect(lost).toEqual([]);
  });

  test('nothing outside test and bench imports from them', () => {
    expect(offences(/from '(\.\.\/)+(test|bench)\//, () => true)).toEqual([]);
  });

  test('packages are pinned exactly and no more are installed at run time than docs/dependencies.md says', () => {
    interface Lock {
      readonly packages: Record<string, { dev?: boolean; optional?: boolean; resolved?: string; integrity?: string }>;
    }
    interface Manifest {
      readonly dependencies: Record<string, string>;
      readonly devDependencies: Record<string, string>;
    }
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
    const ranges = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(ranges.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    const installed = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(installed.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    expect(installed.filter(([, entry]) => entry.integrity === undefined).map(([path]) => path)).toEqual([]);
    expect(installed.filter(([, entry]) => !entry.dev && !entry.optional).length).toBeLessThanOrEqual(59);
  });
});
