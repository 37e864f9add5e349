import { rename } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { exists, removeDurable, syncDirectory, writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";
import { type Serving, servingPath, servingSchema } from "../swap/serving.ts";
import { signOfLife } from "./plan-recovery.ts";

/** In `state/fenced.json`: this host gave its plant up to another, and must not serve before it was made a standby of that. */
const fencedSchema = z.object({
  version: z.literal(1),
  at: z.string(),
  who: z.string(),
  run: z.string(),
  /** The last sign of life of its database, which whoever takes over must have; absent when the database was not well. */
  sign: signOfLife.optional(),
});

type Fenced = z.infer<typeof fencedSchema>;

type Paths = Pick<HostPaths, "state">;

function fencedPath({ state }: Paths): string {
  return join(state, "fenced.json");
}

/** Undefined on a host that is not fenced. */
export async function readFenced(paths: Paths): Promise<Fenced | undefined> {
  return await readState(fencedPath(paths), fencedSchema);
}

/** What served when it was fenced. */
export async function readServed(paths: Paths): Promise<Serving | undefined> {
  return await readState(servedPath(paths), servingSchema);
}

export async function isFenced(paths: Paths): Promise<boolean> {
  return await exists(fencedPath(paths));
}

function servedPath({ state }: Paths): string {
  return join(state, "served.json");
}

/** What served is kept beside it for whoever looks. May be done again at any time. */
export async function writeFenced(paths: Paths, fenced: Omit<Fenced, "version">): Promise<void> {
  await writeDurable(fencedPath(paths), `${JSON.stringify({ version: 1, ...fenced }, null, 2)}\n`);
  if (!(await exists(servingPath(paths)))) return;
  await rename(servingPath(paths), servedPath(paths));
  await syncDirectory(paths.state);
}

/** A fencing is taken back. Where it was cut off before it set aside what serves, what lies there is of an earlier one. */
export async function undoFenced(paths: Paths): Promise<void> {
  await removeDurable(fencedPath(paths));
  if (!(await exists(servedPath(paths))) || (await exists(servingPath(paths)))) return;
  await rename(servedPath(paths), servingPath(paths));
  await syncDirectory(paths.state);
}

/** The host follows another now: what served here before is nothing to go back to any more. */
export async function removeFenced(paths: Paths): Promise<void> {
  await removeDurable(servedPath(paths));
  await removeDurable(fencedPath(paths));
}
