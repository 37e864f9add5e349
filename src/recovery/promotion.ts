import { join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { exists, removeDurable, writeDurable } from "../kernel/durable-file.ts";

type Paths = Pick<HostPaths, "state" | "cluster">;

/**
 * Whether the database of a standby was promoted, or may yet be: PostgreSQL removes the signal when it is, and nothing tells that it was asked to be but
 * the mark that is left before. Then there is only the way forward, whatever a later takeover meets.
 */
export async function isPromotionBegun(paths: Paths): Promise<boolean> {
  return (await exists(markPath(paths))) || !(await exists(join(paths.cluster, "standby.signal")));
}

export async function markPromotion(paths: Paths): Promise<void> {
  await writeDurable(markPath(paths), '{ "version": 1 }\n');
}

/** The database is another one, which follows. */
export async function forgetPromotion(paths: Paths): Promise<void> {
  await removeDurable(markPath(paths));
}

function markPath({ state }: Paths): string {
  return join(state, "promoted.json");
}
