import { mkdir, open, readFile, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Puts a whole file in the place of another: written in `stage` (same file system), on the disk, renamed, and the folder's entry on the
 * disk too. After a cut there is either the old file or the new one.
 */
export async function replaceFile(path: string, content: string, stage: string = dirname(path), mode = 0o644): Promise<void> {
  await mkdir(stage, { recursive: true });
  await mkdir(dirname(path), { recursive: true });
  const draft = join(stage, `.${basename(path)}.draft`);
  const file = await open(draft, "w", mode);
  try {
    // The run's unit has a tight umask, and Traefik reads this as an account of its own.
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A file's text; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}
