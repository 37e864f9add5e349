import * as z from "zod";

/** What a running container's processes hold, and the most they may. */
export interface ContainerMemory {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Of the engine's one-shot statistics; under cgroup v1 the fields have other names. */
const statsSchema = z.object({
  memory_stats: z.object({
    usage: z.number().optional(),
    limit: z.number().optional(),
    stats: z.record(z.string(), z.number()).optional(),
  }),
});

/**
 * Anonymous memory, which only its processes can give back: what counts a leak. The usage of the cgroup holds the cache of files too, which
 * grows with every file that is read and is dropped when it is needed. Undefined for a container that does not run.
 */
export function containerMemory(answer: unknown): ContainerMemory | undefined {
  const memory = statsSchema.safeParse(answer).data?.memory_stats;
  const usedBytes = memory?.stats?.["anon"] ?? memory?.stats?.["total_rss"] ?? memory?.usage;
  return usedBytes === undefined || memory?.limit === undefined ? undefined : { usedBytes, limitBytes: memory.limit };
}
