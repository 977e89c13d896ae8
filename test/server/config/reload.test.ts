import { expect, test } from 'vitest';
import type { LoadedConfig } from '../../../server/config/load.ts';
import { ConfigHolder } from '../../../server/config/reload.ts';
import { ExpositionWriter, MetricRegistry } from '../../../util/metrics.ts';
import { fakeHost } from '../../scraper/support.ts';

function setUp(users: ((config: LoadedConfig) => void)[]) {
  const source = { fileName: 'f.yml', text: '', read: () => Promise.resolve(source.text) };
  const { clock, log } = fakeHost();
  const metrics = new MetricRegistry();
  return { source, metrics, holder: new ConfigHolder({ source, users, clock, log, metrics }) };
}

test('a bad configuration changes nothing and says so', async () => {
  const seen: number[] = [];
  const { source, holder, metrics } = setUp([(config) => void seen.push(config.scrapeConfigs.length)]);
  source.text = 'scrape_configs: [{job_name: a}]';
  const good = await holder.reload();
  source.text = 'scrape_configs: [{job_name: a}, {job_name: a}]';
  await expect(holder.reload()).rejects.toThrow('f.yml:1:33 scrape_configs[1]: found multiple');
  expect(holder.current).toBe(good);
  expect(holder.isLastReloadGood).toBe(false);
  expect(seen).toEqual([1]);
  const out = new ExpositionWriter();
  metrics.write(out);
  expect(out.toString()).toContain('prometheus_config_last_reload_successful 0\n');
  source.text = '';
  await holder.reload();
  expect(holder.isLastReloadGood).toBe(true);
});

test('when one user cannot take it, those before it get the old one back', async () => {
  const seen: number[] = [];
  const { source, holder } = setUp([
    (config) => void seen.push(config.scrapeConfigs.length),
    (config) => {
      if (config.scrapeConfigs.length === 1) throw new Error('no');
    },
  ]);
  await holder.reload();
  source.text = 'scrape_configs: [{job_name: a}]';
  await expect(holder.reload()).rejects.toThrow('no');
  expect(seen).toEqual([0, 1, 0]);
});
