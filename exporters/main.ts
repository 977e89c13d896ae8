import { performance } from 'node:perf_hooks';
import { CodedError, errorText } from '../util/errors.ts';
import { ExpositionWriter, labelText } from '../util/metrics.ts';
import { gauge, NoDataError, SampleSet } from './collector.ts';
import type { Collector, CollectorContext, CollectorFactory } from './collector.ts';
import { ContainerCollector } from './containers.ts';
import { DockerContainers } from './docker/containers.ts';
import { DockerEngine } from './docker/engine.ts';
import { FileReader } from './files.ts';
import { createCpuCollector } from './host/cpu.ts';
import { createDiskstatsCollector } from './host/disk.ts';
import { createFilesystemCollector } from './host/filesystem.ts';
import { createMeminfoCollector, createPressureCollector, createVmstatCollector } from './host/memory.ts';
import { createNetclassCollector } from './host/net-class.ts';
import {
  createEntropyCollector,
  createFilefdCollector,
  createLoadavgCollector,
  createOsCollector,
  createStatCollector,
  createTimeCollector,
  createUnameCollector,
} from './host/system.ts';
import { resolveContainerLabels, resolveDockerSocket, resolvePaths } from './options.ts';
import type { ExporterOptions } from './options.ts';
import { createArpCollector } from './procnet/arp.ts';
import { createConntrackCollector } from './procnet/conntrack.ts';
import { createNetdevCollector } from './procnet/dev.ts';
import { createNetstatCollector } from './procnet/snmp.ts';
import { createSockstatCollector } from './procnet/sockstat.ts';
import { createSoftnetCollector } from './procnet/softnet.ts';
import { createTcpstatCollector, createUdpQueuesCollector } from './procnet/tcp.ts';

/** The host collectors by name. All are on unless switched off. */
export const HOST_COLLECTORS: Readonly<Record<string, CollectorFactory>> = {
  arp: createArpCollector,
  conntrack: createConntrackCollector,
  cpu: createCpuCollector,
  diskstats: createDiskstatsCollector,
  entropy: createEntropyCollector,
  filefd: createFilefdCollector,
  filesystem: createFilesystemCollector,
  loadavg: createLoadavgCollector,
  meminfo: createMeminfoCollector,
  netclass: createNetclassCollector,
  netdev: createNetdevCollector,
  netstat: createNetstatCollector,
  os: createOsCollector,
  pressure: createPressureCollector,
  sockstat: createSockstatCollector,
  softnet: createSoftnetCollector,
  stat: createStatCollector,
  tcpstat: createTcpstatCollector,
  time: createTimeCollector,
  udp_queues: createUdpQueuesCollector,
  uname: createUnameCollector,
  vmstat: createVmstatCollector,
};

const SUCCESS = gauge('node_scrape_collector_success', 'Whether a collector succeeded.', 'collector');
const DURATION = gauge('node_scrape_collector_duration_seconds', 'Seconds that a collector took.', 'collector');
export const SCRAPE_FAMILIES = [DURATION, SUCCESS];

/**
 * The built-in exporters. Bodies are text exposition 0.0.4. Reads are synchronous (a few ms): call from a worker or a
 * process of its own. Calls may overlap.
 */
export interface Exporters {
  /** Metrics of the machine. A collector that fails is reported, never rejects. */
  host(): Promise<string>;
  /** Metrics of the containers and the machine below them. */
  containers(): Promise<string>;
  /** Whether there is anything containers() could ever show: a cgroup file system or an engine that answers. */
  hasContainers(): Promise<boolean>;
  /** Closes kept files and connections. */
  close(): void;
}

/** Throws a CodedError when a switched collector does not exist. */
export function createExporters(options: ExporterOptions = {}): Exporters {
  const context: CollectorContext = {
    files: new FileReader(),
    paths: resolvePaths(options),
    nowMs: () => performance.timeOrigin + performance.now(),
  };
  const collectors = switchedOn(options).map((create) => create(context));
  const socket = resolveDockerSocket(options);
  const engine = socket === undefined ? undefined : new DockerEngine(socket);
  const docker = engine && new DockerContainers(engine, resolveContainerLabels(options), options.log);
  const containers = new ContainerCollector(context, docker);
  const failed = new Set<string>();

  async function host(): Promise<string> {
    const out = new SampleSet();
    for (const collector of collectors) await runCollector(collector, out);
    return render(out);
  }

  async function runCollector(collector: Collector, out: SampleSet): Promise<void> {
    const { name } = collector;
    const start = performance.now();
    let isSuccess = false;
    try {
      await collector.collect(out);
      isSuccess = true;
      failed.delete(name);
    } catch (error) {
      const level = error instanceof NoDataError ? 'debug' : 'warn';
      if (!failed.has(name)) options.log?.[level]({ collector: name, err: errorText(error) }, 'collector failed');
      failed.add(name);
    }
    const labels = labelText({ collector: name });
    out.add(DURATION, labels, (performance.now() - start) / 1000);
    out.add(SUCCESS, labels, isSuccess ? 1 : 0);
  }

  return {
    host,
    containers: async () => {
      const out = new SampleSet();
      await containers.collect(out);
      return render(out);
    },
    hasContainers: async () => {
      if (containers.layout().tree !== undefined) return true;
      await docker?.refresh();
      return docker?.isUp ?? false;
    },
    close: () => {
      context.files.close();
      engine?.close();
    },
  };
}

function switchedOn({ collectors = {} }: ExporterOptions): CollectorFactory[] {
  for (const name of Object.keys(collectors)) {
    if (!Object.hasOwn(HOST_COLLECTORS, name)) {
      const known = Object.keys(HOST_COLLECTORS).join(', ');
      throw new CodedError('bad_data', `there is no collector "${name}"; there are: ${known}`);
    }
  }
  return Object.entries(HOST_COLLECTORS)
    .filter(([name]) => collectors[name] ?? true)
    .map(([, create]) => create);
}

function render(out: SampleSet): string {
  const writer = new ExpositionWriter();
  out.write(writer);
  return writer.toString();
}
