import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readIfThere } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";
import { contextFactsSchema, dockerfile } from "./dockerfile.ts";

/** The file of a build context that says what is built. */
export const CONTEXT_FACTS = "release.json";

const HELD = [CONTEXT_FACTS, "requirements.txt", "addons", "wheels"];

/**
 * Writes the Dockerfile of an unpacked context from what its release.json says. Made here and never taken from the sender: whoever may
 * deploy chooses the addons of a build and not what the host's engine runs.
 */
export async function writeDockerfile(directory: string): Promise<void> {
  const names = await readdir(directory);
  const stray = names.find((name) => !HELD.includes(name));
  if (stray !== undefined) throw invalid(`it holds ${stray}, which no release has`, stray);
  const parsed = contextFactsSchema.safeParse(await readFacts(join(directory, CONTEXT_FACTS)));
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error).replaceAll("\n", " "), CONTEXT_FACTS);
  const requirements = await readIfThere(join(directory, "requirements.txt"));
  await writeFile(join(directory, "Dockerfile"), dockerfile({ ...parsed.data, requirements, wheels: names.includes("wheels") }));
}

async function readFacts(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new MillwrightError("ADDONS_INVALID", "The build context does not say which release it is for.", { subject: CONTEXT_FACTS, cause });
  }
}

function invalid(why: string, subject: string): MillwrightError {
  return new MillwrightError("ADDONS_INVALID", `The build context is not one of a release: ${why}.`, { subject });
}
