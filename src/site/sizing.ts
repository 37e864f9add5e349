/** Everything that follows from users, memory and processors of the host. Bytes unless the name says otherwise. */
export interface Sizing {
  /** Odoo HTTP workers of one colour. */
  readonly workers: number;
  readonly cronThreads: number;
  readonly memory: {
    readonly web: number;
    readonly cron: number;
    readonly database: number;
    readonly cache: number;
    readonly edge: number;
    readonly monitoring: number;
    readonly backup: number;
  };
  readonly odoo: { readonly limitMemorySoft: number; readonly limitMemoryHard: number; readonly maxConnections: number; readonly maxConnectionsGevent: number };
  readonly postgres: {
    readonly maxConnections: number;
    readonly sharedBuffers: number;
    readonly effectiveCacheSize: number;
    readonly workMem: number;
    readonly maintenanceWorkMem: number;
    readonly maxWalSize: number;
    readonly shm: number;
    readonly parallelWorkersPerGather: number;
  };
}

export interface SizingNeeds {
  readonly users: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly sessions: "files" | "redis";
  readonly monitoring: boolean;
  readonly overrides: { readonly workers?: number | undefined; readonly cronThreads?: number | undefined };
}

export type SizingResult = { readonly kind: "fits"; readonly sizing: Sizing } | { readonly kind: "too-small"; readonly problem: string };

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;

/** A worker serves about six people at once (Odoo's deployment guide); with more than twice that they wait for each other. */
const USERS_PER_WORKER = 6;
const USERS_PER_WORKER_AT_MOST = 12;

/** Least and comfortable memory. A container gets something between, by what the host has. */
interface Share {
  readonly least: number;
  readonly comfortable: number;
}

/**
 * Sizes one environment that has the host to itself. Workers: users / 6, at most 2 x processors + 1 with the cron threads. Memory: the limits of
 * all containers, with both colours running as they do in a swap, add up to the host's memory less what the system needs, so that no
 * container can push another one out. What is left beyond comfort goes to PostgreSQL, up to 0.35 of the host.
 */
export function computeSizing(needs: SizingNeeds): SizingResult {
  const cronThreads = needs.overrides.cronThreads ?? (needs.cpus >= 8 ? 2 : 1);
  const mostWorkers = Math.max(2, needs.cpus * 2 + 1 - cronThreads);
  const wanted = Math.max(2, Math.ceil(needs.users / USERS_PER_WORKER));
  const workers = needs.overrides.workers ?? Math.min(wanted, mostWorkers);
  if (needs.overrides.workers === undefined && needs.users > workers * USERS_PER_WORKER_AT_MOST) {
    const cpus = Math.ceil((Math.ceil(needs.users / USERS_PER_WORKER_AT_MOST) - 1 + cronThreads) / 2);
    return { kind: "too-small", problem: `needs at least ${cpus} processors for ${needs.users} users, and the host has ${needs.cpus}` };
  }

  const shares = sharesFor(needs, workers, cronThreads);
  const spare = needs.memoryBytes - systemReserve(needs.memoryBytes) - total(shares, "least");
  if (spare < 0) {
    const least = leastMemory(total(shares, "least"));
    const problem = `needs at least ${gib(least)} GiB for ${needs.users} users (${workers} workers, twice in a swap), and the host has ${gib(needs.memoryBytes)} GiB`;
    return { kind: "too-small", problem };
  }

  const range = total(shares, "comfortable") - total(shares, "least");
  const part = Math.min(1, spare / range);
  const give = (share: Share): number => wholeMiB(share.least + (share.comfortable - share.least) * part);
  const surplus = Math.max(0, spare - range);
  const database = wholeMiB(Math.min(Math.max(give(shares.database), needs.memoryBytes * 0.35), give(shares.database) + surplus));
  const memory = {
    web: give(shares.web),
    cron: give(shares.cron),
    database,
    cache: give(shares.cache),
    edge: give(shares.edge),
    monitoring: give(shares.monitoring),
    backup: give(shares.backup),
  };
  // These two are virtual memory of one process, not RSS: the soft one makes a worker leave after its request, the hard one fails the request.
  const odoo = { limitMemorySoft: 2 * GIB, limitMemoryHard: 2.5 * GIB, maxConnections: 16, maxConnectionsGevent: clamp(needs.users, 8, 32) };
  const postgres = postgresSizing(needs, workers, cronThreads, odoo.maxConnectionsGevent, database);
  return { kind: "fits", sizing: { workers, cronThreads, memory, odoo, postgres } };
}

function sharesFor(needs: SizingNeeds, workers: number, cronThreads: number): Record<keyof Sizing["memory"], Share> {
  const share = (least: number, comfortable: number): Share => ({ least: least * MIB, comfortable: comfortable * MIB });
  const none = share(0, 0);
  return {
    // A worker: 0.8 x 150 MB + 0.2 x 1 GB, and a fifth of headroom; the master and the gevent process share 256 MiB.
    web: share(256 + workers * 160, 256 + workers * 384),
    cron: share(64 + cronThreads * 160, 256 + cronThreads * 768),
    database: share(Math.max(768, 512 + workers * 64), Math.max(1024, 1024 + workers * 128)),
    cache: needs.sessions === "redis" ? share(96, 256) : none,
    edge: share(96, 256),
    monitoring: needs.monitoring ? share(288, 768) : none,
    backup: share(128, 256),
  };
}

/** All limits at once, with two colours. */
function total(shares: Record<keyof Sizing["memory"], Share>, of: keyof Share): number {
  const twice = shares.web[of] + shares.cron[of];
  return Object.values(shares).reduce((sum, share) => sum + share[of], twice);
}

/** Kept for the kernel, Docker, the agent and SSH: 1 GiB, a quarter on hosts below 4 GiB. */
function systemReserve(memoryBytes: number): number {
  return Math.min(GIB, memoryBytes / 4);
}

function leastMemory(limits: number): number {
  return limits >= 3 * GIB ? limits + GIB : (limits * 4) / 3;
}

/** PostgreSQL inside its container's limit: that, not the host's memory, is what it may use. */
function postgresSizing(needs: SizingNeeds, workers: number, cronThreads: number, gevent: number, limit: number): Sizing["postgres"] {
  // Doubled, because both colours are connected in a swap; 20 for backup, monitoring and people.
  const maxConnections = 2 * (2 * (workers + cronThreads) + gevent) + 20;
  const active = workers + cronThreads + 4;
  const maintenanceWorkMem = wholeMiB(clamp(limit / 16, 64 * MIB, GIB));
  const connections = maxConnections * 4 * MIB;
  // shared_buffers is never given back, so what busy backends and two autovacuum workers need is set aside first.
  const busy = connections + 2 * maintenanceWorkMem + active * 4 * MIB;
  const sharedBuffers = wholeMiB(clamp(Math.min(limit * 0.4, limit - busy), 128 * MIB, 16 * GIB));
  const workMem = wholeMiB(clamp((limit - sharedBuffers - connections - 2 * maintenanceWorkMem) / (3 * active), 4 * MIB, 64 * MIB));
  return {
    maxConnections,
    sharedBuffers,
    effectiveCacheSize: wholeMiB(needs.memoryBytes / 2),
    workMem,
    maintenanceWorkMem,
    maxWalSize: wholeMiB(clamp(needs.memoryBytes / 4, 2 * GIB, 16 * GIB)),
    // Docker's 64 MB are too little for parallel index builds: "could not resize shared memory segment".
    shm: maintenanceWorkMem + 256 * MIB,
    parallelWorkersPerGather: needs.cpus >= 4 ? 2 : 0,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function wholeMiB(bytes: number): number {
  return Math.floor(bytes / MIB) * MIB;
}

function gib(bytes: number): string {
  return (Math.ceil((bytes / GIB) * 10) / 10).toString();
}
