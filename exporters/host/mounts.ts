import type { CollectorContext } from '../collector.ts';

export interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly major: string;
  readonly minor: string;
  /** The part of the file system that is mounted; `/` mostly. */
  readonly root: string;
  readonly superOptions: readonly string[];
  readonly isReadonly: boolean;
}

/** The first process' mounts, or this process' where that is not permitted. Throws when neither can be read. */
export function readMounts({ files, paths }: CollectorContext): Mount[] {
  try {
    return parseMountinfo(files.longText(`${paths.procfs}/1/mountinfo`));
  } catch {
    return parseMountinfo(files.longText(`${paths.procfs}/self/mountinfo`));
  }
}

/** One line: `36 35 98:0 /root /mount rw,noatime shared:1 - ext4 /dev/sda rw,errors=continue`. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const separator = line.indexOf(' - ');
    if (separator < 0) continue;
    const [, , number = '', root = '', mountpoint = '', options = ''] = line.slice(0, separator).split(' ');
    const [fstype = '', device = '', superOptions = ''] = line.slice(separator + 3).split(' ');
    const [major = '', minor = ''] = number.split(':');
    mounts.push({
      device: unescape(device),
      mountpoint: unescape(mountpoint),
      fstype,
      major,
      minor,
      root: unescape(root),
      superOptions: superOptions.split(','),
      isReadonly: `,${options},${superOptions},`.includes(',ro,'),
    });
  }
  return mounts;
}

/** Spaces, tabs, newlines and backslashes are written as octal numbers. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
