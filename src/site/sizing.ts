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
