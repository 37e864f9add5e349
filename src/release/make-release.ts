import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { createDurable, hasCode, namesIn } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { type Release, releaseSchema, sealOf } from "./release-file.ts";

/** A sealed release of its parts. */
export function makeRelease(parts: Omit<Release, "version" | "seal">): Release {
  const { id, site, series, createdAt, createdBy, revision, notes, image, layers, base, requirements, addons } = parts;
  const release = { version: 1 as const, id, site, series, createdAt, createdBy, revision, notes, image, layers, base, requirements, addons };
  return releaseSchema.parse({ ...release, seal: sealOf(release) });
}

/** `YYYY-MM-DD-N`: the first free number of the day (UTC). */
export function nextReleaseId(existing: readonly string[], milliseconds: number): string {
  const day = new Date(milliseconds).toISOString().slice(0, 10);
  const numbers = existing.filter((id) => id.startsWith(`${day}-`)).map((id) => Number(id.slice(day.length + 1)));
  return `${day}-${Math.max(0, ...numbers.filter(Number.isInteger)) + 1}`;
}

/** Ids of the release files in a folder, oldest first; empty when the folder does not exist. */
export async function releaseIds(directory: string): Promise<readonly string[]> {
  return (await namesIn(directory))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** Writes `<directory>/<id>.yaml`; a release that is there already is never overwritten. */
export async function writeRelease(directory: string, release: Release): Promise<string> {
  const path = join(directory, `${release.id}.yaml`);
  await mkdir(directory, { recursive: true });
  try {
    await createDurable(path, serialiseRelease(release));
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    throw new MillwrightError("RELEASE_EXISTS", `Release ${release.id} exists already, and releases are immutable.`, {
      subject: path,
      hint: "Run the command again: it takes the next free number.",
    });
  }
  return path;
}

export function serialiseRelease(release: Release): string {
  const head = "# An immutable release, written by `millwright release build`. An edited file is refused: build a new release instead.\n";
  return head + stringify(release, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false });
}
