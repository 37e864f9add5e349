import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { exists, removeDurable, syncDirectory, writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";
import { type Serving, servingPath, servingSchema } from "../swap/serving.ts";

/** In `state/fenced.json`: this host gave its plant up to another, and must not serve before it was made a standby of that. For people to read. */
interface Fenced {
  readonly at: string;
  readonly who: string;
  readonly run: string;
}

type Paths = Pick<HostPaths, "state">;

function fencedPath({ state }: Paths): string {
  return join(state, "fenced.json");
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
export async function writeFenced(paths: Paths, fenced: Fenced): Promise<void> {
  await writeDurable(fencedPath(paths), `${JSON.stringify({ version: 1, ...fenced }, null, 2)}\n`);
  if (!(await exists(servingPath(paths)))) return;
  await rename(servingPath(paths), servedPath(paths));
  await syncDirectory(paths.state);
}

/** A fencing is taken back. */
export async function undoFenced(paths: Paths): Promise<void> {
  await removeFenced(paths);
  if (!(await exists(servedPath(paths)))) return;
  await rename(servedPath(paths), servingPath(paths));
  await syncDirectory(paths.state);
}

export async function removeFenced(paths: Paths): Promise<void> {
  await removeDurable(fencedPath(paths));
}
