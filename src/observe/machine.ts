import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, hostname, loadavg, totalmem, uptime } from "node:os";
import type { Status } from "./status-schema.ts";

/** Facts of the machine, at this moment. */
export interface Machine {
  facts(dataPath: string): Promise<Omit<Status["host"], "engine">>;
}

export const thisMachine: Machine = {
  async facts(dataPath) {
    const { blocks, bavail, bsize } = await statfs(dataPath);
    return {
      name: hostname(),
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      memoryFreeBytes: freemem(),
      load: loadavg()[0] ?? 0,
      uptimeSeconds: Math.floor(uptime()),
      disk: { path: dataPath, totalBytes: blocks * bsize, freeBytes: bavail * bsize },
    };
  },
};
