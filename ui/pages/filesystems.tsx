import { errorText } from '../api.ts';
import { formatValue } from '../format.ts';
import { Message } from '../message.tsx';
import { useResource } from '../resource.ts';
import { loadInstant } from './instant.ts';
import { fillExpr } from './panels.ts';
import { Bar } from './tiles.tsx';
import type { LiveWindow } from './window.ts';

const REAL = 'fstype!~"tmpfs|ramfs|overlay|squashfs|devtmpfs|nsfs|proc|sysfs"';
const QUERIES = {
  size: `node_filesystem_size_bytes{${REAL},$host}`,
  free: `node_filesystem_avail_bytes{${REAL},$host}`,
} as const;

/** How full the real file systems are. A device mounted several times is shown once. */
export function Filesystems({ live, host }: { readonly live: LiveWindow; readonly host: string | undefined }) {
  const queries = { size: fillExpr(QUERIES.size, host, ''), free: fillExpr(QUERIES.free, host, '') };
  const at = live.state.endMs === undefined ? undefined : live.state.endMs / 1000;
  const { data, error } = useResource(JSON.stringify([queries, at, live.tick]), (signal) =>
    loadInstant(queries, at, signal),
  ).value;
  const mounts = (data?.size ?? []).map(({ labels, value: size }) => {
    const { device = '', mountpoint = '', instance } = labels;
    const free = data?.free.find(
      (other) =>
        other.labels['mountpoint'] === mountpoint &&
        other.labels['device'] === device &&
        other.labels['instance'] === instance,
    );
    return { device, mountpoint, size, used: free === undefined ? undefined : size - free.value };
  });
  const once = mounts
    .sort((a, b) => a.mountpoint.length - b.mountpoint.length)
    .filter((mount, i) => mounts.findIndex(({ device }) => device === mount.device) === i);
  return (
    <section class="card panel" aria-label="File systems">
      <header class="card-head">
        <h3>File systems</h3>
      </header>
      {error !== undefined && data === undefined && <Message kind="error" title={errorText(error)} />}
      {data !== undefined && once.length === 0 && (
        <Message kind="empty" title="No file system with a disk below">
          node_filesystem_* comes from the host exporter (collector filesystem).
        </Message>
      )}
      <ul class="mounts">
        {once.map(({ device, mountpoint, size, used }) => (
          <li key={device}>
            <div class="mount-head">
              <span class="mount-name">{mountpoint}</span>
              <span class="dim mount-device">{device}</span>
              <span class="num">{used === undefined ? '–' : formatValue(used / size, 'percent')}</span>
            </div>
            {used !== undefined && <Bar part={used / size} />}
            <div class="dim mount-note">
              {used === undefined ? '–' : formatValue(used, 'bytes')} of {formatValue(size, 'bytes')}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
