import type { Fs, Host } from '../util/host.ts';

const COPY_BYTES = 1024 * 1024;

/** Why bytes were put aside; written beside them as reason.json. */
export interface QuarantineReason {
  readonly what: string;
  readonly offset: number;
  readonly error: string;
  readonly lost: string;
}

/**
 * Copies bytes [from, to) of a damaged file to `<data>/quarantine/<UTC time>-<name>/`, with a reason.json, and makes them
 * durable, before the file itself is repaired: nothing damaged is thrown away. Returns the folder.
 */
export async function quarantineCopy(
  host: Host,
  dataPath: string,
  source: { readonly path: string; readonly from: number; readonly to: number },
  reason: QuarantineReason,
): Promise<string> {
  const { fs } = host;
  const root = `${dataPath}/quarantine`;
  await fs.mkdir(root);
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  const time = new Date(host.clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-');
  let folder = `${root}/${time}-${name}`;
  for (let i = 2; (await fs.stat(folder)) !== undefined; i++) folder = `${root}/${time}-${name}-${i}`;
  await fs.mkdir(folder);
  await copyRange(fs, source, `${folder}/${name}`);
  await writeDurably(
    fs,
    `${folder}/reason.json`,
    new TextEncoder().encode(`${JSON.stringify(reason, undefined, 2)}\n`),
  );
  await fs.syncDirectory(folder);
  await fs.syncDirectory(root);
  await fs.syncDirectory(dataPath);
  return folder;
}

async function writeDurably(fs: Fs, path: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(path, 'w');
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function copyRange(
  fs: Fs,
  source: { readonly path: string; readonly from: number; readonly to: number },
  target: string,
): Promise<void> {
  const from = await fs.open(source.path, 'r');
  try {
    const to = await fs.open(target, 'w');
    try {
      const buffer = new Uint8Array(COPY_BYTES);
      for (let at = source.from; at < source.to;) {
        const count = await from.read(buffer.subarray(0, Math.min(COPY_BYTES, source.to - at)), at);
        if (count === 0) break;
        await to.write(buffer.subarray(0, count), at - source.from);
        at += count;
      }
      await to.sync();
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}
