import { createServer, type Server } from 'node:http';

/**
 * A scrape target whose samples carry explicit timestamps and depend on the tick alone, so that two servers that scrape
 * it store the same samples whenever they come. A tick lasts `tickMs`.
 */
export class ChangingTarget {
  readonly #tickMs: number;
  readonly #server: Server;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
    this.#server = createServer((_, response) => {
      const tick = Math.floor(Date.now() / tickMs);
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(this.#body(tick));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `127.0.0.1:${address.port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #body(tick: number): string {
    const lines: string[] = [];
    const add = (series: string, value: number | string): void => {
      lines.push(`${series} ${value} ${tick * this.#tickMs}`);
    };
    lines.push('# HELP diff_requests_total Requests.', '# TYPE diff_requests_total counter');
    for (const [i, code] of ['200', '404', '500'].entries()) {
      for (const [j, method] of ['GET', 'POST'].entries()) {
        // Resets at different ticks; growth is uneven.
        const since = (tick + i * 3 + j) % (9 + i * 4 + j);
        add(`diff_requests_total{code="${code}",method="${method}"}`, since * (i + 2) + ((since * 7) % 3) * 0.5);
      }
    }
    lines.push('# TYPE diff_temperature gauge');
    for (let room = 0; room < 5; room++) {
      const odd = (tick + room) % 11 === 0 ? (room === 1 ? 'NaN' : '+Inf') : undefined;
      add(`diff_temperature{room="r${room}",floor="${room % 2}"}`, odd ?? Math.sin(tick / 3 + room) * 20.5 + room / 7);
    }
    lines.push('# TYPE diff_limit gauge');
    for (let floor = 0; floor < 2; floor++) add(`diff_limit{floor="${floor}"}`, 10 + floor * 3.3);
    lines.push('# TYPE diff_latency_seconds histogram');
    for (const [k, path] of ['/a', '/b'].entries()) {
      let total = 0;
      for (const [b, le] of ['0.1', '0.5', '1', '2.5', '+Inf'].entries()) {
        total += tick * (b + 1 + k) + (tick % (b + 2));
        add(`diff_latency_seconds_bucket{path="${path}",le="${le}"}`, total % 1e9);
      }
      add(`diff_latency_seconds_sum{path="${path}"}`, tick * 3.7);
      add(`diff_latency_seconds_count{path="${path}"}`, total % 1e9);
    }
    lines.push('# TYPE diff_flapping gauge');
    if (tick % 6 < 3) add('diff_flapping{kind="sometimes"}', tick % 100);
    add(String.raw`diff_odd{text="a \"quoted\" \\ back\nslash é"}`, tick % 5);
    return `${lines.join('\n')}\n`;
  }
}
