// How long `bin/narthex` takes until it answers, with everything it compiled kept from the start before, and what it
// then holds when idle: default flags, built-in configuration, every thread.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchResult } from './harness.ts';

const PROGRAM = fileURLToPath(new URL('../bin/narthex', import.meta.url));
const RUNS = 5;
const IDLE_MS = 12_000;
const START_MS_MAX = 30_000;

interface Start {
  readonly listenMs: number;
  readonly readyMs: number;
  readonly firstAnswerMs: number;
  readonly idleMib: number;
}

async function startOnce(folder: string, idleMs: number): Promise<Start> {
  const started = performance.now();
  const since = (): number => performance.now() - started;
  const child = spawn(PROGRAM, ['--web.listen-address=127.0.0.1:0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise((resolve) => void child.once('exit', resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
      child.stdout.on('data', (chunk: Buffer) => {
        const address = /open (http:\/\/\S+)\//.exec(chunk.toString())?.[1];
        if (address !== undefined) resolve(address);
      });
    });
    const listenMs = since();
    while (!(await fetch(`${url}/-/ready`)).ok) {
      if (since() > START_MS_MAX) throw new Error('the server did not become ready');
      await sleep(5);
    }
    const readyMs = since();
    await (await fetch(`${url}/api/v1/query?query=up`)).text();
    const firstAnswerMs = since();
    await sleep(idleMs);
    const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0);
    return { listenMs, readyMs, firstAnswerMs, idleMib: rss / 1024 };
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
}

/** The least of several starts on the same data folder; memory of one that was left alone for a while. */
export async function run(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-startup-'));
  try {
    await startOnce(folder, 2000);
    const starts: Start[] = [];
    for (let i = 0; i < RUNS; i++) starts.push(await startOnce(folder, 0));
    const least = (read: (start: Start) => number): number => Math.min(...starts.map(read));
    const { idleMib } = await startOnce(folder, IDLE_MS);
    return [
      { name: 'start until it listens', value: least((start) => start.listenMs), unit: 'ms' },
      { name: 'start until it is ready', value: least((start) => start.readyMs), unit: 'ms' },
      { name: 'start until the first answer', value: least((start) => start.firstAnswerMs), unit: 'ms' },
      { name: 'resident when idle', value: idleMib, unit: 'MiB', note: 'to reach: 120' },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
