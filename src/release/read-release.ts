import { join } from "node:path";
import * as z from "zod";
import { readIfThere } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { parseYaml } from "../kernel/parse-yaml.ts";
import { releaseIds } from "./make-release.ts";
import { type Release, RELEASE_ID, releaseSchema, sealOf } from "./release-file.ts";

/** The release of that id in the folder, with its seal checked. */
export async function readRelease(directory: string, id: string): Promise<Release> {
  const path = join(directory, `${id}.yaml`);
  const isId = RELEASE_ID.test(id);
  const text = isId ? await readIfThere(path) : undefined;
  if (text === undefined) {
    const known = (await releaseIds(directory)).slice(-5);
    const hint = known.length > 0 ? `Known releases: ${known.join(", ")}.` : "Build one with `millwright release build`.";
    throw new MillwrightError("RELEASE_NOT_FOUND", `There is no release ${id}.`, { subject: isId ? path : id, hint });
  }
  const release = parseRelease(text, path);
  if (release.id !== id) throw new MillwrightError("RELEASE_INVALID", `The file holds release ${release.id}, not ${id}.`, { subject: path });
  return release;
}

/** All releases of a folder, oldest first. */
export async function readReleases(directory: string): Promise<readonly Release[]> {
  return Promise.all((await releaseIds(directory)).map((id) => readRelease(directory, id)));
}

/** Parses a release file and refuses one that was edited after it was sealed. */
export function parseRelease(text: string, path: string): Release {
  const parsed = parseYaml(text);
  if (parsed.kind === "data") return checkRelease(parsed.data, path);
  throw new MillwrightError("RELEASE_INVALID", `The release file is not YAML: ${parsed.fault}`, {
    subject: path,
    hint: "Restore the file from git, or build a new release.",
  });
}

/** The same check for a release that arrives as data, such as from the operator side. */
export function checkRelease(data: unknown, subject: string): Release {
  const result = releaseSchema.safeParse(data);
  if (!result.success) {
    const details = z.prettifyError(result.error).split("\n");
    throw new MillwrightError("RELEASE_INVALID", "The release breaks a rule of its format.", { subject, details });
  }
  const release = result.data;
  if (release.seal !== sealOf(release)) {
    const hint = "Restore the file from git, or build a new release.";
    throw new MillwrightError("RELEASE_EDITED", `Release ${release.id} was changed after it was built: its seal does not fit.`, { subject, hint });
  }
  return release;
}
