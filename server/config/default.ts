/**
 * The built-in configuration, used where there is no prometheus.yml: the server itself, this host, and its containers
 * where cgroups or Docker are there. `listenAddress` is host:port as the server can be reached from here.
 */
export function defaultConfig(facts: { readonly listenAddress: string; readonly hasContainers: boolean }): string {
  const { listenAddress, hasContainers } = facts;
  return `# The built-in configuration of Narthex: used because no prometheus.yml was found.
# Save it as prometheus.yml and change it there.
global:
  scrape_interval: 5s
  scrape_timeout: 4s

scrape_configs:
  # Narthex itself.
  - job_name: narthex
${target(listenAddress)}
  # This host: CPU, memory, disks, file systems, network.
  - job_name: host
    metrics_path: /metrics/host
${target(listenAddress)}${hasContainers ? containers(listenAddress) : ''}`;
}

function containers(listenAddress: string): string {
  return `
  # The containers on this host, in the names of cAdvisor.
  - job_name: containers
    metrics_path: /metrics/cadvisor
${target(listenAddress)}`;
}

function target(listenAddress: string): string {
  return `    static_configs:
      - targets: [${JSON.stringify(listenAddress)}]
`;
}
