import { chmod, mkdtemp, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { folderRefused, MillwrightError } from "../kernel/errors.ts";
import { ensureFolder, exists, writeDurable } from "../kernel/durable-file.ts";

const SITE = "site.yaml";

/** Files that are left as they are when the folder has them already. */
const KEPT = /^(?:README\.md|\.gitignore|addons\/.*|releases\/.*)$/;

export async function refuseExistingSite(directory: string): Promise<void> {
  if (!(await exists(join(directory, SITE)))) return;
  throw new MillwrightError("SITE_EXISTS", "The folder holds a site already.", {
    subject: join(directory, SITE),
    hint: "Edit site.yaml, or name another folder: `millwright new <folder>`.",
  });
}

/**
 * Writes a site folder whole or not at all: everything is made in a folder beside it (`fill` may add to that and check it), then moved. A folder
 * that exists keeps what it has; site.yaml arrives last, and without it a folder is no site.
 */
export async function writeSite(directory: string, files: ReadonlyMap<string, string>, fill: (folder: string) => Promise<void>): Promise<readonly string[]> {
  await refuseExistingSite(directory);
  await ensureFolder(dirname(directory));
  const folder = await mkdtemp(join(dirname(directory), `.${basename(directory)}.new-`)).catch((error: unknown) => {
    throw folderRefused(directory, error);
  });
  try {
    for (const [path, content] of files) await writeDurable(join(folder, path), content);
    await fill(folder);
    const written = await filesUnder(folder);
    if (await exists(directory)) await moveInto(folder, directory, written);
    else {
      // mkdtemp makes it for its owner alone; a site is shared by git.
      await chmod(folder, 0o755);
      await rename(folder, directory);
    }
    return written;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function moveInto(folder: string, directory: string, written: readonly string[]): Promise<void> {
  const present: string[] = [];
  for (const path of written) if (await exists(join(directory, path))) present.push(path);
  const conflicts = present.filter((path) => !KEPT.test(path) && !path.startsWith(".millwright/"));
  if (conflicts.length > 0) {
    throw new MillwrightError("SITE_EXISTS", "The folder holds files that the new site would overwrite.", {
      subject: directory,
      hint: "Move them away, or name another folder.",
      details: conflicts,
    });
  }
  const moving = written.filter((path) => !(present.includes(path) && KEPT.test(path)));
  for (const path of [...moving.filter((one) => one !== SITE), SITE]) {
    await ensureFolder(dirname(join(directory, path)));
    await rename(join(folder, path), join(directory, path));
  }
}

/** Removes the wizard's kept answers, and their folders as far as nothing else is in them. */
export async function removeProgress(directory: string, progressFile: string): Promise<void> {
  if (!(await exists(progressFile))) return;
  await rm(progressFile);
  for (let folder = dirname(progressFile); !relative(directory, folder).startsWith(".."); folder = dirname(folder)) {
    if ((await readdir(folder)).length > 0) return;
    await rmdir(folder);
  }
}

async function filesUnder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split("\\").join("/"))
    .sort();
}
