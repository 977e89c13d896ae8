// A scrape target for benchmarks and system tests, as a process of its own: `/t/<n>/metrics` serves target n.
//   --series=1000   series per target        --interval=1000  ms between changes of a value
//   --timestamps    explicit timestamps, so that two scrapers store the same samples
// Prints `listening on PORT`. Values are a pure function of target, series and tick, so every scraper sees the same.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    series: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '1000' },
    timestamps: { type: 'boolean', default: false },
  },
});
const seriesCount = Number(options.series);
const intervalMs = Number(options.interval);

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const CODES = ['200', '201', '404', '500', '503'];

/** The text of each series of a target up to its value: a quarter gauges, the rest counters, with ten labels each. */
function seriesTexts(target: number): string[] {
  const texts: string[] = [];
  for (let i = 0; i < seriesCount; i++) {
    const name = i % 4 === 0 ? 'bench_queue_length' : 'bench_requests_total';
    const labels = [
      `method="${METHODS[i % METHODS.length]}"`,
      `code="${CODES[i % CODES.length]}"`,
      `handler="/api/v1/resource/${i}"`,
      `zone="zone-${target % 3}"`,
      `cluster="cluster-${target % 2}"`,
      `pod="pod-${target}-${i % 10}"`,
      `version="v1.${target % 7}.${i % 3}"`,
      `team="team-${i % 12}"`,
    ];
    texts.push(`${name}{${labels.join(',')}} `);
  }
  return texts;
}

/** A deterministic small integer from three, so that a tick can be recomputed by anyone. */
function mix(a: number, b: number, c: number): number {
  let x = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^ Math.imul(c + 1, 0x27d4eb2f);
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b3c6d);
  return (x ^ (x >>> 12)) >>> 0;
}

function valueAt(target: number, series: number, tick: number): number {
  if (series % 4 === 0) return (mix(target, series, tick) % 2000) / 8;
  // A counter: grows by its own rate each tick, with a reset every 500 ticks or so on some series.
  const rate = 1 + (mix(target, series, 0) % 40);
  const reset = series % 50 === 1 ? 400 + (series % 300) : Infinity;
  const since = reset === Infinity ? tick % 1e7 : tick % reset;
  return since * rate + (mix(target, series, tick) % rate);
}

const texts = new Map<number, string[]>();
const bodies = new Map<number, { tick: number; plain: Buffer; packed: Buffer }>();

function bodyOf(target: number): { plain: Buffer; packed: Buffer } {
  const tick = Math.floor(Date.now() / intervalMs);
  const known = bodies.get(target);
  if (known?.tick === tick) return known;
  let series = texts.get(target);
  if (!series) texts.set(target, (series = seriesTexts(target)));
  const end = options.timestamps ? ` ${tick * intervalMs}\n` : '\n';
  let text = '# TYPE bench_queue_length gauge\n# TYPE bench_requests_total counter\n';
  for (let i = 0; i < series.length; i++) text += series[i]! + valueAt(target, i, tick) + end;
  const plain = Buffer.from(text);
  const body = { tick, plain, packed: gzipSync(plain, { level: 1 }) };
  bodies.set(target, body);
  return body;
}

const server = createServer((request, response) => {
  const match = /^\/t\/(\d+)\/metrics/.exec(request.url ?? '');
  if (!match) return void response.writeHead(404).end();
  const { plain, packed } = bodyOf(Number(match[1]));
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  if (/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    response.writeHead(200, { ...headers, 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
  } else response.writeHead(200, { ...headers, 'content-length': plain.length }).end(plain);
});
server.keepAliveTimeout = 120_000;
server.listen(Number(options.port), '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`listening on ${address.port}\n`);
});
