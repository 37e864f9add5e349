import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { namesIn, writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";

/** What a point may be called: it names a file, and stands behind `point:`. */
export const POINT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/;

/** A moment that somebody has given a name, to come back to. */
export const pointRecordSchema = z.object({
  version: z.literal(1),
  name: z.string().regex(POINT_NAME),
  /** ISO 8601: what was written before it is in it. */
  at: z.string(),
  run: z.string(),
  who: z.string(),
  /** That served. */
  release: z.string(),
});

export type PointRecord = z.infer<typeof pointRecordSchema>;

type Paths = Pick<HostPaths, "backups">;

export async function writePoint({ backups }: Paths, point: PointRecord): Promise<void> {
  await writeDurable(fileOf(backups, point.name), `${JSON.stringify(point, null, 2)}\n`, { mode: 0o600 });
}

export async function readPoint({ backups }: Paths, name: string): Promise<PointRecord | undefined> {
  return await readState(fileOf(backups, name), pointRecordSchema);
}

/** Oldest first. */
export async function readPoints({ backups }: Paths): Promise<readonly PointRecord[]> {
  const names = (await namesIn(backups)).filter((name) => /^point-.*\.json$/.test(name));
  const found = await Promise.all(names.map(async (name) => await readState(join(backups, name), pointRecordSchema)));
  return found.filter((point) => point !== undefined).sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Drops those of before an instant. */
export async function dropPointsBefore(paths: Paths, instant: string): Promise<void> {
  for (const { name, at } of await readPoints(paths)) {
    if (Date.parse(at) < Date.parse(instant)) await rm(fileOf(paths.backups, name), { force: true });
  }
}

function fileOf(backups: string, name: string): string {
  return join(backups, `point-${name}.json`);
}
