/** Where everything of a stack lives on its host. Pure names; `root` is `/` except in tests. */
export interface HostPaths {
  readonly base: string;
  /** Rendered stacks by id, read-only. */
  readonly stacks: string;
  readonly current: string;
  /** Config files by content hash, mounted into containers: a file that did not change keeps its path. */
  readonly files: string;
  /** The same for files that hold secrets: 0400, owned by the uid that reads them. */
  readonly secrets: string;
  /** The platform's materialised compose.yaml: `docker compose` works here by hand. */
  readonly platform: string;
  readonly trafficDynamic: string;
  readonly trafficStage: string;
  /** Certificates and their keys by content hash, where the proxy sees them. */
  readonly certificates: string;
  /** Traefik's dynamic file that names the certificate to serve; absent where it is fetched by ACME. */
  readonly certificate: string;
  /** What the running PostgreSQL takes by a reload. The folder is mounted and never replaced; its files are. */
  readonly settings: string;
  readonly state: string;
  readonly journal: string;
  readonly lock: string;
  readonly runs: string;
  readonly data: string;
  /** What the database's image keeps its data in. */
  readonly cluster: string;
  /** The repositories of the backups; another disk may be mounted here. */
  readonly backup: string;
  /** Materialised compose.yaml of the scratch place. */
  readonly recovery: string;
  /** What stood before a restore, by its run: on the file system of the data, which moves there by a rename. */
  readonly restorePoints: string;
  /** What is known of each backup, by its id. */
  readonly backups: string;
  /** The operator's site folder, encrypted, for the next backup. */
  readonly site: string;
  /** Where the agent leaves its metrics for the stack's node exporter; no container writes here. */
  readonly metrics: string;
  /** Materialised compose.yaml and release.json of one colour. */
  colour(colour: "blue" | "green"): string;
  run(id: string): string;
}

export function hostPaths(stack: string, root = "/"): HostPaths {
  const base = `${root === "/" ? "" : root}/srv/millwright/${stack}`;
  return {
    base,
    stacks: `${base}/stacks`,
    current: `${base}/current`,
    files: `${base}/files`,
    secrets: `${base}/secrets`,
    platform: `${base}/platform`,
    trafficDynamic: `${base}/traffic/dynamic`,
    trafficStage: `${base}/traffic/stage`,
    certificates: `${base}/traffic/tls`,
    certificate: `${base}/traffic/dynamic/certificate.yml`,
    settings: `${base}/settings/database`,
    state: `${base}/state`,
    journal: `${base}/state/journal.jsonl`,
    lock: `${base}/state/lock`,
    runs: `${base}/state/runs`,
    data: `${base}/data`,
    cluster: `${base}/data/postgres/18/docker`,
    backup: `${base}/backup`,
    recovery: `${base}/recovery`,
    restorePoints: `${base}/data/restore-points`,
    backups: `${base}/state/backups`,
    site: `${base}/state/site.json`,
    metrics: `${base}/data/agent-metrics`,
    colour: (colour) => `${base}/colours/${colour}`,
    run: (id) => `${base}/state/runs/${id}`,
  };
}
