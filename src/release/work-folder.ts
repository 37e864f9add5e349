import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "../kernel/durable-file.ts";

const PREFIX = "millwright-build-";

/** Longer than any build. */
const LEFT_BEHIND_MILLISECONDS = 4 * 60 * 60_000;

/** A new folder in a directory for the time of a build; those that killed builds have left behind there are removed. */
export async function workFolder(directory: string, now: number): Promise<AsyncDisposable & { readonly path: string }> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(PREFIX) && (await isLeftBehind(join(directory, name), now))) await rm(join(directory, name), { recursive: true, force: true });
  }
  const path = await mkdtemp(join(directory, PREFIX));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

/** Ours alone: the directory may be the one that all users of the machine share. */
async function isLeftBehind(path: string, now: number): Promise<boolean> {
  try {
    const { uid, mtimeMs } = await stat(path);
    return uid === process.getuid?.() && mtimeMs < now - LEFT_BEHIND_MILLISECONDS;
  } catch (error) {
    // Another build has ended since the folder was listed.
    if (isMissing(error)) return false;
    throw error;
  }
}
