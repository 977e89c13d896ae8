import manifest from '../package.json' with { type: 'json' };

/** The Prometheus release whose behaviour is offered; clients decide by it what they may ask. */
const PROMETHEUS_VERSION = '3.14.0';

/** Our own version. */
export const VERSION: string = manifest.version;

/** Compares as the Prometheus release in semantic versioning, and names ours as build metadata. */
export const COMPATIBLE_VERSION = `${PROMETHEUS_VERSION}+narthex.${VERSION}`;

export const RUNTIME_VERSION = `node ${process.version}`;

/** What --version prints. */
export function versionText(): string {
  return `narthex, version ${VERSION} (compatible with Prometheus ${PROMETHEUS_VERSION}, ${RUNTIME_VERSION}, ${process.platform}/${process.arch})\n`;
}
