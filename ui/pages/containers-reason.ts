import type { TargetsData } from '../../model/http-api.ts';

/** The job of the built-in configuration that reads the container exporter. */
const POOL = 'containers';

/** Why the start page shows no containers, as title and explanation. */
export function reasonForNone(targets: TargetsData): readonly [title: string, why: string] {
  const target = targets.activeTargets.find(({ scrapePool }) => scrapePool === POOL);
  if (!target) {
    return [
      'Containers are not collected here',
      `The configuration has no scrape job "${POOL}". The built-in one has it where the machine has cgroups or a Docker ` +
        'engine that answers; any job that serves container_* metrics with a name label shows here.',
    ];
  }
  if (target.health === 'down') return ['The container exporter cannot be scraped', target.lastError];
  if (target.health === 'unknown')
    return ['Waiting for the first scrape', 'The container exporter has not been read yet.'];
  return [
    'No container is running',
    'The container exporter answers and sees none with a name. Names come from the Docker engine: if containers run, check ' +
      'that its socket (/var/run/docker.sock) is readable for this process.',
  ];
}
