// The text format: numbers, and whole bodies in the four situations a target meets them.
import { Labels } from '../model/labels.ts';
import { SampleBatch, type SeriesRef } from '../model/sample.ts';
import type { Appender } from '../model/storage.ts';
import { Body } from '../scraper/body.ts';
import { TextParser } from '../scraper/format/text.ts';
import { Ingest, type IngestRules } from '../scraper/ingest.ts';
import { FloatParser } from '../util/parse-float.ts';
import { nsPer, type BenchResult } from './harness.ts';

const LINES = 5000;
const RULES: IngestRules = {
  targetLabels: Labels.fromObject({ instance: '127.0.0.1:9100', job: 'node' }),
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

/** Hands out references and stores nothing. */
class NullAppender implements Appender {
  #count = 0;

  seriesRef(): SeriesRef {
    return ++this.#count;
  }

  labelsOf(): Labels {
    return Labels.EMPTY;
  }

  commit(): never {
    throw new Error('nothing is committed here');
  }
}

/** As a node exporter: families of 25 series, 60 to 90 bytes a line, integers and fractions. `tick` changes values. */
function bodyText(tick: number, keep: (line: number) => boolean = () => true): string {
  let text = '';
  for (let i = 0; i < LINES; i++) {
    const family = Math.floor(i / 25);
    if (i % 25 === 0) text += `# HELP node_family_${family}_seconds_total Something about family ${family}.\n`;
    if (i % 25 === 0) text += `# TYPE node_family_${family}_seconds_total counter\n`;
    const value = i % 3 === 0 ? String(i * 1000 + tick) : ((i + tick) * 1.37 + 0.123).toFixed(2);
    if (keep(i))
      text += `node_family_${family}_seconds_total{cpu="${i % 25}",mode="iowait",device="nvme0n1p${i % 7}"} ${value}\n`;
  }
  return text;
}

function toBody(text: string): Body {
  const body = new Body();
  body.append(Buffer.from(text));
  body.seal();
  return body;
}

function ingestOf(bodies: readonly Body[]): () => void {
  const ingest = new Ingest(RULES, 1);
  const appender = new NullAppender();
  const batch = new SampleBatch(LINES * 2);
  let scrape = 0;
  return () => {
    batch.clear();
    ingest.begin(bodies[scrape % bodies.length]!, batch, ++scrape * 1000);
    while (!ingest.run(512));
    ingest.finish(appender);
  };
}

function parseAll(body: Body): () => void {
  const parser = new TextParser();
  return () => {
    parser.reset(body.bytes, body.length);
    while (parser.next() !== 'end');
  };
}

function numbers(texts: readonly string[]): () => void {
  const bytes = Buffer.from(`${texts.join('\n')}\n`);
  const parser = new FloatParser();
  return () => {
    for (let i = 0; i < bytes.length; i = parser.end + 1) if (!parser.parse(bytes, i)) throw new Error('not exact');
  };
}

export async function run(): Promise<BenchResult[]> {
  const unit = 'ns/sample';
  const bodies = [toBody(bodyText(1)), toBody(bodyText(2))];
  const inserted = toBody(bodyText(3, (line) => line !== 100));
  const shuffled = toBody(bodyText(4).split('\n').toReversed().join('\n'));
  const timed = toBody(bodyText(5).replaceAll(/^(node.*)$/gm, '$1 1764000000000'));
  const lineBytes = bodies[0]!.length / LINES;
  const note = `prototype 47-69; ${lineBytes.toFixed(0)} bytes a line`;
  const count = 200_000;
  const integers = Array.from({ length: count }, (_, i) => String((i * 7919) % 100_000_007));
  const fractions = Array.from({ length: count }, (_, i) => String(((i * 7919) % 1_000_003) / 997).slice(0, 12));
  return [
    { name: 'parse integer', value: nsPer(count, numbers(integers)), unit: 'ns', note: 'prototype 16-22' },
    { name: 'parse fraction', value: nsPer(count, numbers(fractions)), unit: 'ns', note: 'prototype 16-22' },
    { name: 'scrape body, same lines as before', value: nsPer(LINES, ingestOf(bodies), 40), unit, note },
    { name: 'scrape body, one line comes and goes', value: nsPer(LINES, ingestOf([...bodies, inserted]), 40), unit },
    { name: 'scrape body, explicit timestamps', value: nsPer(LINES, ingestOf([timed]), 40), unit },
    {
      name: 'scrape body, other order each time',
      value: nsPer(LINES, ingestOf([bodies[0]!, shuffled]), 20),
      unit,
      note: 'byte hash 152',
    },
    { name: 'text grammar without the cache', value: nsPer(LINES, parseAll(bodies[0]!), 20), unit },
    {
      name: 'first scrape of a target',
      value: nsPer(LINES, () => ingestOf(bodies)(), 10),
      unit,
      note: 'labels made, no storage',
    },
  ];
}
