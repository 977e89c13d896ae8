// Starts Narthex and its peers on free ports over temporary folders, and reads what they cost from /proc.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type PeerKind = 'narthex' | 'prometheus' | 'victoria-metrics';

/** A running server with a Prometheus-compatible API at `url`. */
export class Peer {
  readonly kind: PeerKind;
  readonly url: string;
  readonly folder: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  constructor(kind: PeerKind, url: string, folder: string, child: ChildProcess) {
    this.kind = kind;
    this.url = url;
    this.folder = folder;
    this.#child = child;
    this.pid = child.pid ?? 0;
  }

  /** CPU milliseconds of all threads since the start. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Resident bytes, and the most there ever were. */
  memory(): { rssBytes: number; peakBytes: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const kilobytes = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
    return { rssBytes: kilobytes('VmRSS') * 1024, peakBytes: kilobytes('VmHWM') * 1024 };
  }

  /** Ends the process, with SIGKILL when asked or when it does not listen, and removes its folder unless kept. */
  async stop(options: { signal?: NodeJS.Signals; keep?: boolean } = {}): Promise<void> {
    const exited = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(options.signal ?? 'SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(timer);
    }
    if (options.keep !== true) rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * The program of a peer, undefined when it cannot be had. Looks in NARTHEX_PEERS, then on PATH, then asks the testbed
 * beside the project to fetch it.
 */
export function findPeer(kind: Exclude<PeerKind, 'narthex'> | 'prometheus-node-exporter'): string | undefined {
  const folders = [process.env['NARTHEX_PEERS'], ...(process.env['PATH'] ?? '').split(delimiter)];
  for (const folder of folders) if (folder && existsSync(join(folder, kind))) return join(folder, kind);
  const fetcher = join(root, '../shared/testbed/peers-fetch');
  if (!existsSync(fetcher) || process.getuid?.() !== 0) return undefined;
  const name = kind === 'prometheus-node-exporter' ? 'node-exporter' : kind;
  const fetched = spawnSync(fetcher, [name], { encoding: 'utf8' });
  const program = join((fetched.stdout ?? '').trim().split('\n').at(-1) ?? '', kind);
  return fetched.status === 0 && existsSync(program) ? program : undefined;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export interface PeerOptions {
  /** Text of prometheus.yml; none: no scraping. */
  readonly config?: string;
  /** Accept remote write. */
  readonly remoteWrite?: boolean;
  readonly extraArgs?: readonly string[];
  /** A folder to start on again; default a new one. */
  readonly folder?: string;
}

function argsOf(kind: PeerKind, port: number, folder: string, options: PeerOptions): string[] {
  const data = join(folder, 'data');
  const config = join(folder, 'prometheus.yml');
  if (kind === 'victoria-metrics') {
    const args = [
      `-httpListenAddr=127.0.0.1:${port}`,
      `-storageDataPath=${data}`,
      '-retentionPeriod=10y',
      '-search.latencyOffset=0s',
    ];
    return options.config === undefined ? args : [...args, `-promscrape.config=${config}`];
  }
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`];
  if (options.remoteWrite) args.push('--web.enable-remote-write-receiver');
  return args;
}

/** Starts a peer and waits until it is ready. Throws with its log when it ends or does not come up in 60 s. */
export async function startPeer(kind: PeerKind, options: PeerOptions = {}): Promise<Peer> {
  const program = kind === 'narthex' ? join(root, 'bin/narthex') : findPeer(kind);
  if (program === undefined) throw new Error(`${kind} cannot be had here`);
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), `narthex-peer-${kind}-`));
  const port = await freePort();
  writeFileSync(join(folder, 'prometheus.yml'), options.config ?? 'scrape_configs: []\n');
  const args = [...argsOf(kind, port, folder, options), ...(options.extraArgs ?? [])];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-8000)));
  const peer = new Peer(kind, `http://127.0.0.1:${port}`, folder, child);
  const readyPath = kind === 'victoria-metrics' ? '/health' : '/-/ready';
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`${kind} ended with ${child.exitCode}:\n${log}`);
    const ready = await fetch(peer.url + readyPath).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return peer;
    await sleep(100);
  }
  await peer.stop();
  throw new Error(`${kind} did not become ready:\n${log}`);
}

/** A target server (bench/data/target-server.ts) and how to stop it. */
export async function startTargets(args: readonly string[]): Promise<{ port: number; stop: () => void }> {
  const script = join(root, 'bench/data/target-server.ts');
  const child = spawn(join(root, 'bin/node'), [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the target server ended with ${code}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      const match = /listening on (\d+)/.exec(chunk.toString());
      if (match) resolve(Number(match[1]));
    });
  });
  return { port, stop: () => void child.kill() };
}

/** A prometheus.yml with `targetCount` targets of a target server. */
export function scrapeConfig(port: number, targetCount: number, interval: string, extra = ''): string {
  const jobs = Array.from(
    { length: targetCount },
    (_, i) => `      - targets: ['127.0.0.1:${port}']
        labels: {__metrics_path__: /t/${i}/metrics, instance: 'target-${i}'}`,
  );
  return `global: {scrape_interval: ${interval}, scrape_timeout: ${interval}}
scrape_configs:
  - job_name: bench
${extra}    static_configs:
${jobs.join('\n')}
`;
}
