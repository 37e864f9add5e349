import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { type Colour, colourSchema } from "../blueprint/stack.ts";
import { removeDurable, writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";
import { type Release, releaseSchema } from "../release/release-file.ts";

/** What serves, as the last confirmed swap left it: `state/serving.json`. */
export const servingSchema = z.object({
  version: z.literal(1),
  colour: colourSchema,
  /** Id of the release. */
  release: z.string(),
  image: z.string(),
  since: z.string(),
  who: z.string(),
  run: z.string(),
  /** Where `rollback` goes: the release before, in the other colour, which is made anew for it where it holds something else by now. Absent after a first release and after a rollback. */
  previous: z.object({ colour: colourSchema, release: releaseSchema }).optional(),
});

export type Serving = z.infer<typeof servingSchema>;

/**
 * Where `rollback` may go. A record that was written by hand may name the colour that serves: the way "back" to that would end with it
 * stopped.
 */
export function wayBack({ colour, previous }: Serving): Serving["previous"] {
  return previous?.colour === colour ? undefined : previous;
}

export function servingPath(paths: Pick<HostPaths, "state">): string {
  return join(paths.state, "serving.json");
}

/** Undefined before the first release. */
export async function readServing(paths: Pick<HostPaths, "state">): Promise<Serving | undefined> {
  return await readState(servingPath(paths), servingSchema);
}

export async function writeServing(paths: Pick<HostPaths, "state">, serving: Serving | undefined): Promise<void> {
  if (serving === undefined) await removeDurable(servingPath(paths));
  else await writeDurable(servingPath(paths), `${JSON.stringify(serving, null, 2)}\n`);
}

/** The release that a colour was last made from; undefined when it was never used. */
export async function readColourRelease(paths: Pick<HostPaths, "colour">, colour: Colour): Promise<Release | undefined> {
  return await readState(join(paths.colour(colour), "release.json"), releaseSchema);
}

export async function writeColourRelease(paths: Pick<HostPaths, "colour">, colour: Colour, release: Release | undefined): Promise<void> {
  const path = join(paths.colour(colour), "release.json");
  if (release === undefined) await removeDurable(path);
  else await writeDurable(path, `${JSON.stringify(release, null, 2)}\n`);
}
