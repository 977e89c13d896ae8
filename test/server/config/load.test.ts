import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { defaultConfig } from '../../../server/config/default.ts';
import { ConfigError, loadConfig } from '../../../server/config/load.ts';

const FOLDER = new URL('../../../../shared/conformance/config/', import.meta.url);
const API_FOLDER = new URL('../../../../shared/conformance/http-api/', import.meta.url);
const hasConformance = existsSync(FOLDER);
/** Faults inside sections that are taken as they are until the issues that bring them; must only shrink. */
const LATER =
  /^(?:kubernetes|marathon|openstack|remote_|ec2|lightsail|azure|oci|empty_(?:rw|rr|alert)|puppetdb|hetzner|eureka|scaleway|outscale|http_|tracing|uyuni|ionos|ovhcloud|stackit|tsdb)/;

function errorOf(text: string, env: Record<string, string> = {}): string {
  try {
    loadConfig(text, 'f.yml', env);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

describe.skipIf(!hasConformance)('files of Prometheus', () => {
  const testdata = new URL('testdata/', FOLDER);
  const names = hasConformance ? readdirSync(testdata).filter((name) => name.endsWith('.yml')) : [];
  const read = (name: string) => readFileSync(new URL(name, testdata), 'utf8');

  test.each(names.filter((name) => !name.includes('.bad.') && !name.includes('incompatible')))('%s loads', (name) => {
    const { yaml } = loadConfig(read(name), name);
    expect(yaml).not.toMatch(/mysecret|multiline/);
    // What is shown loads again and is shown the same; only external labels would be expanded once more.
    if (!name.startsWith('external_labels')) expect(loadConfig(yaml, name).yaml).toBe(yaml);
  });

  interface Expected {
    readonly file: string;
    readonly error_contains: string;
  }
  const expectedErrors = hasConformance
    ? (JSON.parse(readFileSync(new URL('expected-errors.json', FOLDER), 'utf8')) as { cases: Expected[] }).cases
    : [];
  const ours = expectedErrors.filter(({ file }) => !LATER.test(file));
  test.each(ours.map((c) => [c.file, c.error_contains] as const))('%s does not', (name, error) => {
    expect(errorOf(read(name))).toContain(error.replace(/^parsing YAML file [^:]*: /, ''));
  });

  test('the configuration is printed as Prometheus prints it', () => {
    interface ApiCase {
      readonly path: string;
      readonly response: { readonly json: { readonly data: { readonly yaml: string } } };
    }
    const { cases } = JSON.parse(readFileSync(new URL('cases.json', API_FOLDER), 'utf8')) as { cases: ApiCase[] };
    const expected = cases.find(({ path }) => path === '/api/v1/status/config')?.response.json.data.yaml ?? '';
    const { yaml } = loadConfig(readFileSync(new URL('prometheus.yml', API_FOLDER), 'utf8'), 'prometheus.yml');
    const section = (text: string) =>
      text.slice(text.indexOf('scrape_configs:\n'), text.search(/\n(?:storage|remote_write):/));
    expect(section(yaml)).toBe(section(expected));
    expect(yaml.slice(0, yaml.indexOf('rule_files'))).toBe(expected.slice(0, expected.indexOf('rule_files')));
  });
});

describe('problems', () => {
  test('name file, line, column and path, all of them', () => {
    const text = `global:
  scrape_interval: 15
  nonsense: 1
scrape_configs:
  - job_name: a
    scrape_timeout: 2m
    static_configs:
      - targets: ['http://x/']
  - job_name: a
`;
    expect(errorOf(text).split('\n')).toEqual([
      'f.yml:2:20 global.scrape_interval: not a valid duration string: "15"',
      'f.yml:3:3 global.nonsense: field nonsense not found in type config.plain',
      'f.yml:6:21 scrape_configs[0].scrape_timeout: scrape timeout greater than scrape interval for scrape config with job name "a"',
      'f.yml:8:19 scrape_configs[0].static_configs[0].targets[0]: "http://x/" is not a valid hostname',
      'f.yml:9:5 scrape_configs[1]: found multiple scrape configs with job name "a"',
    ]);
  });

  test.each([
    ['a: [', 'f.yml:1:'],
    ['a: b: c', 'f.yml:1:'],
    ['- 1', 'cannot unmarshal !!seq list into config.plain'],
    ['scrape_configs: {a: 1}', 'cannot unmarshal !!map map into list'],
    ['scrape_configs: [{job_name: a, honor_labels: x}]', 'cannot unmarshal !!str `x` into bool'],
    ['scrape_configs: [{job_name: a, sample_limit: -1}]', 'cannot unmarshal !!int `-1` into uint'],
    ['scrape_configs: [{job_name: a, body_size_limit: 5QB}]', 'units: unknown unit QB in 5QB'],
    ['scrape_configs: [{job_name: a, http_headers: {Host: {values: [x]}}}]', 'setting header "Host" is not allowed'],
    [`a: ${'['.repeat(200)}${']'.repeat(200)}`, 'nested deeper than 100 levels'],
    [`x: &x [1]\ny: [${Array(101).fill('*x').join(',')}]`, 'more than 100 uses of anchors'],
    ['__proto__: 1', 'field __proto__ not found in type config.plain'],
  ])('%s', (text, message) => {
    expect(errorOf(text)).toContain(message);
  });
});

test('sections of later issues are accepted with a warning that names them and their line', () => {
  const { warnings } = loadConfig(
    'rule_files: [a.yml]\nremote_write:\n  - url: http://x\nscrape_configs:\n  - job_name: a\n    file_sd_configs: [{files: [x.json]}]\n',
    'f.yml',
  );
  expect(warnings).toEqual([
    'f.yml:6:22 scrape_configs[0].file_sd_configs: file_sd_configs has no effect yet: no targets come from it',
    'f.yml:1:13 rule_files: rule_files has no effect yet',
    'f.yml:3:3 remote_write: remote_write has no effect yet',
  ]);
});

test('secrets are hidden wherever they stand', () => {
  const text = `
scrape_configs:
  - job_name: a
    basic_auth: {username: u, password: canary}
    http_headers: {X-Key: {secrets: [canary]}}
    consul_sd_configs: [{server: x, token: canary}]
  - job_name: b
    bearer_token: canary
remote_write:
  - url: https://user:canary@host/push
    headers: {X: y}
    oauth2: {client_id: i, client_secret: canary}
`;
  const config = loadConfig(text, 'f.yml');
  expect(config.yaml).toContain('<secret>');
  for (const shown of [
    config.yaml,
    JSON.stringify(config),
    String(config.scrapeConfigs[0]?.http.basicAuth?.password.secret),
  ]) {
    expect(shown).not.toContain('canary');
  }
  expect(config.scrapeConfigs[0]?.http.basicAuth?.password.secret?.reveal()).toBe('canary');
});

test('defaults are filled in and global settings handed on', () => {
  expect(loadConfig('', 'f.yml')).toMatchObject({
    scrapeConfigs: [],
    warnings: [],
    global: { scrapeIntervalMs: 60_000 },
  });
  const text =
    'global: {scrape_interval: 5s, sample_limit: 7, external_labels: {a: "${A}-$$-$B"}}\nscrape_configs: [{job_name: j}]';
  const { global, scrapeConfigs, warnings } = loadConfig(text, 'f.yml', { A: 'x' });
  expect(scrapeConfigs[0]).toMatchObject({
    scrapeIntervalMs: 5000,
    scrapeTimeoutMs: 5000,
    sampleLimit: 7,
    metricsPath: '/metrics',
  });
  expect(Object.fromEntries(global.externalLabels)).toEqual({ a: 'x-$-' });
  expect(warnings).toEqual(['f.yml:1:9 global: environment variable B is not set']);
});

test('anchors and merge keys work', () => {
  const text =
    'scrape_configs:\n- &a {job_name: a, scrape_interval: 3s, scrape_timeout: 3s}\n- {<<: *a, job_name: b}\n';
  expect(loadConfig(text, 'f.yml').scrapeConfigs.map((c) => [c.jobName, c.scrapeIntervalMs])).toEqual([
    ['a', 3000],
    ['b', 3000],
  ]);
});

test.each([true, false])('the built-in default loads without a warning (containers: %s)', (hasContainers) => {
  const config = loadConfig(defaultConfig({ listenAddress: '127.0.0.1:9090', hasContainers }), 'built-in');
  expect(config.warnings).toEqual([]);
  expect(config.scrapeConfigs.map((job) => job.jobName)).toEqual([
    'narthex',
    'host',
    ...(hasContainers ? ['containers'] : []),
  ]);
  expect(parse(config.yaml)).toMatchObject({ global: { scrape_interval: '5s' } });
});
