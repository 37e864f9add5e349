import { randomBytes } from "node:crypto";
import { access, chmod, chown, link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { folderRefused } from "./errors.ts";

export interface FileOptions {
  /** Set as it stands, whatever the process's umask. */
  readonly mode?: number;
  /** Owner; the process's own when left out. */
  readonly uid?: number;
  /** Folder on the same file system that the draft is written in, when its own is being watched. */
  readonly stage?: string;
}

/** Puts a whole file in place in one instant, its folder made if needed: after a cut there is the old file or the new one, never a part. */
export async function writeDurable(path: string, content: string, options: FileOptions = {}): Promise<void> {
  const stage = options.stage ?? dirname(path);
  for (const folder of new Set([stage, dirname(path)])) await ensureFolder(folder);
  const draft = join(stage, `.${basename(path)}.${randomBytes(4).toString("hex")}.draft`);
  try {
    await writeSynced(draft, content, options.mode ?? 0o644);
    if (options.uid !== undefined) await chown(draft, options.uid, process.getgid?.() ?? 0);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** The same for a file that must not exist yet: fails with EEXIST when there is one, of whoever made it. Its folder must exist. */
export async function createDurable(path: string, content: string, mode: number = 0o644): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.draft`);
  try {
    await writeSynced(draft, content, mode);
    // Unlike a rename, a link fails where there is a file already.
    await link(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(path));
}

/** Creates a file with its content on the disk before it returns; what fails in between leaves a part of it. */
async function writeSynced(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes a file so that it does not come back after a loss of power; an absent one is no error. */
export async function removeDurable(path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    // Also when it was gone: whoever removed it may have died before this.
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Makes names created, renamed or removed in a folder survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a folder and those above it that are missing. By hand: for a folder in /proc, mkdir's own `recursive` tries again for ever. */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    throw folderRefused(path, error);
  }
}

async function makeFolder(path: string, mayMakeParent = dirname(path) !== path): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (mayMakeParent && hasCode(error, "ENOENT")) {
      await makeFolder(dirname(path));
      return await makeFolder(path, false);
    }
    // Also when another process has just made it.
    if (!(await isFolder(path))) throw error;
  }
}

/** False for whatever cannot be looked at. */
async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Makes a folder and those above it that are missing, all with this mode, whatever the process's umask. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, mode);
}

/** The text of a file; undefined when it is absent. Every other failure throws. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * The text of a file in a folder that a container writes to; undefined for anything but a short plain file. Such a folder may hold a link to any
 * file of the host, or a pipe that nobody ever writes to.
 */
export async function readShort(path: string, limit: number): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error) || hasCode(error, "ELOOP")) return undefined;
    throw error;
  }
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > limit) return undefined;
    const bytes = Buffer.alloc(limit);
    const { bytesRead } = await file.read(bytes, 0, limit, 0);
    return bytes.subarray(0, bytesRead).toString("utf8");
  } finally {
    await file.close();
  }
}

/** False only when the path is absent: what cannot be looked at must not be taken for nothing. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** The names in a folder; none when it is absent. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The texts of the files in a folder, drafts left out, by their path; none when it is absent. */
export async function textsIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await namesIn(folder)).filter((name) => !name.startsWith(".")).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [join(folder, name), await readFile(join(folder, name), "utf8")] as const)));
}

/** When a file or folder was last written, in milliseconds since the epoch; 0 when it is absent. */
export async function writtenAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** True for the errors of a path that is not there. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR");
}

/** True for an error of the system with this code, such as `EEXIST`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
