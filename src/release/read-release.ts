import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { readIfThere } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { releaseIds } from "./make-release.ts";
import { type Release, releaseSchema, sealOf } from "./release-file.ts";

/** The release of that id in the folder, with its seal checked. */
export async function readRelease(directory: string, id: string): Promise<Release> {
  const path = join(directory, `${id}.yaml`);
  const text = await readIfThere(path);
  if (text === undefined) {
    const known = (await releaseIds(directory)).slice(-5);
    const hint = known.length > 0 ? `Known releases: ${known.join(", ")}.` : "Build one with `millwright release build`.";
    throw new MillwrightError("RELEASE_NOT_FOUND", `There is no release ${id}.`, { subject: path, hint });
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
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem !== undefined) throw new MillwrightError("RELEASE_INVALID", `The release file is not YAML: ${problem.message.split("\n")[0]}`, { subject: path });
  return checkRelease(document.toJS(), path);
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
