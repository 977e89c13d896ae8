// Sets Narthex up in a clone: packages (the pinned Node among them), the console's build and, with --browser, Chromium
// for the tests. Plain JavaScript that runs on Node 18 or newer; does nothing the second time.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const stampFolder = join(root, '.cache');
const started = Date.now();

/** Prints one line with the seconds since the start. */
function say(text) {
  console.log(`setup ${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s  ${text}`);
}

function fail(text) {
  console.error(`setup: ${text}`);
  process.exit(1);
}

/** Runs a command; its output is shown only when it fails. A line every 10 s says that it still runs. */
async function run(what, command, args, env = {}) {
  say(`${what} ...`);
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const tick = setInterval(() => say(`${what}: still at it`), 10_000);
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += String(error);
      resolve(-1);
    });
    child.on('close', resolve);
  });
  clearInterval(tick);
  if (code !== 0) fail(`${what} failed (${command} ${args.join(' ')}, exit ${code}):\n${output.slice(-4000)}`);
}

/** A digest over files and folders: what a step's outcome depends on. */
function digest(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
    } else hash.update(path.slice(root.length)).update('\0').update(readFileSync(path));
  };
  for (const path of paths) visit(join(root, path));
  return hash.digest('hex');
}

/** Runs `step` unless it ran before on the same inputs and its result is still there. */
async function once(name, inputs, results, step) {
  const stamp = join(stampFolder, `${name}.stamp`);
  const now = digest(inputs);
  const done = existsSync(stamp) && readFileSync(stamp, 'utf8') === now;
  if (done && results.every((path) => existsSync(join(root, path)))) return;
  await step();
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stamp, now);
}

async function installPackages() {
  // Not `npm ci`: it refuses a lockfile that lacks optional packages of other platforms which a registry does not carry.
  // `install --no-save` takes the very versions and integrity hashes of the lockfile and never changes it.
  const args = ['install', '--no-save', '--ignore-scripts', '--include=optional', '--include=dev', '--loglevel=error'];
  await run('installing packages and the pinned Node (npm install)', 'npm', args);
  const check = spawnSync(join(root, 'bin/node'), ['--version'], { encoding: 'utf8' });
  if (check.status !== 0) fail(`no usable Node: ${check.stderr}`);
  say(`Node ${check.stdout.trim()} is in place`);
}

async function buildConsole() {
  await run('building the console', join(root, 'bin/node'), [
    'node_modules/vite/bin/vite.js',
    'build',
    '--logLevel',
    'warn',
  ]);
}

function findChromium() {
  const named = process.env['CHROMIUM'];
  return [named, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (path) => path !== undefined && existsSync(path),
  );
}

async function installChromium() {
  if (findChromium() !== undefined) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    fail('the browser tests need Chromium: install it (Debian: apt-get install chromium), or name one in CHROMIUM');
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('reading the package lists (apt-get update)', 'apt-get', ['update', '-q'], env);
  await run(
    'installing Chromium for the browser tests (apt-get)',
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', 'chromium'],
    env,
  );
}

const flags = process.argv.slice(2);
const unknown = flags.filter((flag) => flag !== '--browser');
if (unknown.length > 0) fail(`unknown argument ${unknown[0]}; only --browser (Chromium for the tests) is known`);
if (Number(process.versions.node.split('.')[0]) < 18)
  fail(`needs Node 18 or newer to set up, this is ${process.version}`);

await once(
  'packages',
  ['package.json', 'package-lock.json', '.npmrc'],
  ['node_modules/.package-lock.json'],
  installPackages,
);
await once(
  'console',
  ['ui', 'model', 'util', 'promql', 'vite.config.ts', 'package-lock.json'],
  ['dist/ui/index.html'],
  buildConsole,
);
if (flags.includes('--browser')) await installChromium();
