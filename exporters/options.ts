import type { Log } from '../util/host.ts';
import type { ExporterPaths } from './collector.ts';
import { DEFAULT_CONTAINER_LABELS } from './docker/containers.ts';

/** Where the built-in exporters look and what they serve; everything has a default. */
export interface ExporterOptions {
  /** Mount of procfs; `/proc`. */
  readonly procfs?: string | undefined;
  /** Mount of sysfs; `/sys`. */
  readonly sysfs?: string | undefined;
  /** Where the host's root directory is seen; `/`. */
  readonly rootfs?: string | undefined;
  /** Where the cgroup file systems are mounted; `fs/cgroup` below sysfs. */
  readonly cgroup?: string | undefined;
  /** Docker's socket; `DOCKER_HOST` if that is a unix socket, else `/var/run/docker.sock`. '' asks no engine. */
  readonly dockerSocket?: string | undefined;
  /** Container labels that become `container_label_*`; `*` for all. */
  readonly containerLabels?: readonly string[] | undefined;
  /** Host collectors switched on or off by name. */
  readonly collectors?: Readonly<Record<string, boolean>> | undefined;
  readonly log?: Log | undefined;
}

const DOCKER_SOCKET = '/var/run/docker.sock';

export function resolvePaths(options: ExporterOptions): ExporterPaths {
  const trimmed = (path: string): string => path.replace(/\/+$/, '');
  const sysfs = trimmed(options.sysfs ?? '/sys');
  return {
    procfs: trimmed(options.procfs ?? '/proc'),
    sysfs,
    rootfs: trimmed(options.rootfs ?? '/'),
    cgroup: trimmed(options.cgroup ?? `${sysfs}/fs/cgroup`),
  };
}

/** The engine's socket, undefined to ask none. An engine on another host says nothing about these containers. */
export function resolveDockerSocket({ dockerSocket }: ExporterOptions): string | undefined {
  if (dockerSocket !== undefined) return dockerSocket === '' ? undefined : dockerSocket;
  const host = process.env['DOCKER_HOST'];
  if (host === undefined || host === '') return DOCKER_SOCKET;
  return host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
}

export function resolveContainerLabels({ containerLabels }: ExporterOptions): readonly string[] {
  return containerLabels ?? DEFAULT_CONTAINER_LABELS;
}
