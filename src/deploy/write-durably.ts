import { chown, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

interface FileOptions {
  readonly mode: number;
  readonly uid?: number;
}

/** Puts a file in place in one instant: written beside it, synced, renamed, and the folder synced, so that a cut shows the old one or the new one. */
export async function writeDurably(path: string, content: string, options: FileOptions): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  // A fresh inode: `mode` counts only when a file is created, and a leftover may have the wrong owner.
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.chmod(options.mode);
    await file.sync();
  } finally {
    await file.close();
  }
  await giveTo(temporary, options.uid);
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function giveTo(path: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return;
  const present = await stat(path);
  if (present.uid !== uid) await chown(path, uid, present.gid);
}

/** Makes the names in a folder survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

export async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
}
