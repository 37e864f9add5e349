import type { StatsFs } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, hostname, loadavg, totalmem, uptime } from "node:os";
import { dirname } from "node:path";
import { isMissing } from "../kernel/durable-file.ts";
import type { Status } from "./status-schema.ts";

/** Facts of the machine, at this moment. */
export interface Machine {
  facts(dataPath: string): Promise<Omit<Status["host"], "engine">>;
}

export const thisMachine: Machine = {
  async facts(dataPath) {
    const { blocks, bavail, bsize } = await fileSystemOf(dataPath);
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

/** Of the nearest parent that exists: before the first deploy the stack has no folder yet. */
async function fileSystemOf(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    if (path === "/" || !isMissing(error)) throw error;
    return await fileSystemOf(dirname(path));
  }
}
