// hot path: a few hundred small reads per scrape of 24 containers.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';

const BUFFER_BYTES_START = 256 * 1024;
/** A file larger than this is cut here; /proc/net/tcp reaches it at about 400,000 sockets. */
const BUFFER_BYTES_MAX = 64 * 1024 * 1024;
/**
 * The kernel fills a page at a time with whole records. A read that leaves this much of the smallest page free had
 * room for another record, so it was the last; asking once more would walk a whole socket table again (1.7 ms).
 */
const LAST_READ_BYTES_MAX = 4096 - 512;
const KEPT_MIN = 256;
const KEPT_MAX = 8192;

/**
 * Synchronous reads of /proc, /sys and cgroup files through one reused buffer. Descriptors are kept and read again at
 * offset 0 (the kernel writes these files anew on each read): a quarter of the process' limit at most, further
 * files are opened and closed. A kept descriptor whose object is gone is reopened once, so a device or cgroup that
 * came back under the same name is read, not remembered.
 */
export class FileReader {
  readonly #kept = new Map<string, number>();
  readonly #keptMax: number;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES_START);

  constructor(keptMax = keptMaxOfProcess()) {
    this.#keptMax = keptMax;
  }

  /** Descriptors held open now. */
  get keptCount(): number {
    return this.#kept.size;
  }

  /** The whole file as text; throws the system's error. The descriptor is kept. */
  text(path: string): string {
    const size = this.#readKept(path);
    return this.#buffer.toString('utf8', 0, size);
  }

  /** As text(), for files whose lines may be longer than 512 bytes (mountinfo). Opened and closed. */
  longText(path: string): string {
    const fd = openSync(path, 'r');
    try {
      const size = this.#readAll(fd, 0);
      return this.#buffer.toString('utf8', 0, size);
    } finally {
      closeSync(fd);
    }
  }

  /** As text(), undefined where the file cannot be read (gone, not supported, not permitted). */
  tryText(path: string): string | undefined {
    try {
      return this.text(path);
    } catch {
      return undefined;
    }
  }

  /** The whole file's bytes, lent until the next call. */
  bytes(path: string): Buffer {
    const size = this.#readKept(path);
    return this.#buffer.subarray(0, size);
  }

  /**
   * As bytes(), opened and closed: for files below /proc/<pid>, where a held descriptor would keep a network
   * namespace alive after its container. Undefined where it cannot be read.
   */
  tryBytesOnce(path: string): Buffer | undefined {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch {
      return undefined;
    }
    try {
      return this.#buffer.subarray(0, this.#readAll(fd));
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** As tryBytesOnce(), as text. */
  tryTextOnce(path: string): string | undefined {
    return this.tryBytesOnce(path)?.toString('utf8');
  }

  /** Names in a directory, in the system's order; [] when it cannot be read. */
  list(path: string): string[] {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  }

  /** Names in a directory, sorted; throws the system's error. */
  mustList(path: string): string[] {
    return readdirSync(path).sort();
  }

  /** Where a symbolic link points; undefined when it is none. */
  tryLink(path: string): string | undefined {
    try {
      return readlinkSync(path);
    } catch {
      return undefined;
    }
  }

  tryStat(path: string): Stats | undefined {
    return statSync(path, { throwIfNoEntry: false });
  }

  /** Closes the kept descriptors of a path's subtree (a container or device that is gone). */
  forget(directory: string): void {
    const prefix = `${directory}/`;
    for (const [path, fd] of this.#kept) {
      if (!path.startsWith(prefix)) continue;
      this.#kept.delete(path);
      closeSync(fd);
    }
  }

  close(): void {
    for (const fd of this.#kept.values()) closeSync(fd);
    this.#kept.clear();
  }

  #readKept(path: string): number {
    const kept = this.#kept.get(path);
    if (kept !== undefined) {
      try {
        return this.#readAll(kept);
      } catch {
        this.#kept.delete(path);
        closeSync(kept);
      }
    }
    const fd = openSync(path, 'r');
    let keep = false;
    try {
      const size = this.#readAll(fd);
      keep = this.#kept.size < this.#keptMax;
      return size;
    } finally {
      if (keep) this.#kept.set(path, fd);
      else closeSync(fd);
    }
  }

  /** Reads from offset 0 to the end; returns the bytes now at the front of the buffer. */
  #readAll(fd: number, lastBytesMax = LAST_READ_BYTES_MAX): number {
    let size = 0;
    for (;;) {
      if (size === this.#buffer.length) {
        if (size >= BUFFER_BYTES_MAX) return size;
        const larger = Buffer.allocUnsafeSlow(size * 2);
        larger.set(this.#buffer);
        this.#buffer = larger;
      }
      const count = readSync(fd, this.#buffer, size, this.#buffer.length - size, size);
      size += count;
      if (count <= lastBytesMax) return size;
    }
  }
}

function keptMaxOfProcess(): number {
  const limit = /^Max open files +(\d+)/m.exec(readLimits())?.[1];
  return Math.min(KEPT_MAX, Math.max(KEPT_MIN, Math.floor(Number(limit ?? 1024) / 4)));
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
