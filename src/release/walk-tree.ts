import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { isMissing } from "../kernel/durable-file.ts";
import { MillwrightError } from "../kernel/errors.ts";

export interface TreeFile {
  /** Relative to the tree, with `/` on every system. */
  readonly path: string;
  readonly absolute: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
}

/** Far above any real addons tree: what is larger is a mistake, such as a virtual environment or a database dump beside the addons. */
const MAXIMUM = { files: 50_000, fileBytes: 64 * 1024 ** 2, treeBytes: 1024 ** 3, depth: 32 };

/** Never part of a release: they differ from machine to machine and nothing reads them in the image. */
const LEFT_OUT = /^(__pycache__|\.git|\.hg|\.svn|\.idea|\.vscode|\.DS_Store|node_modules)$|\.py[co]$|~$/;

/** The files of a tree, sorted by path. A symbolic link counts as what it points to, and must point into the tree. */
export async function walkTree(root: string): Promise<readonly TreeFile[]> {
  const top = await realpath(root).catch((cause: unknown) => {
    if (!isMissing(cause)) throw cause;
    throw new MillwrightError("ADDONS_INVALID", "The folder is not there.", {
      subject: root,
      hint: "Make it and put the site's addons into it; an empty one makes a release of Odoo alone.",
      cause,
    });
  });
  const found: TreeFile[] = [];
  let bytes = 0;

  async function visit(directory: string, prefix: string, depth: number): Promise<void> {
    if (depth > MAXIMUM.depth) {
      throw new MillwrightError("ADDONS_INVALID", `${prefix} is nested deeper than ${MAXIMUM.depth} folders, or links back to itself.`, { subject: root });
    }
    for (const name of (await readdir(directory)).sort()) {
      if (LEFT_OUT.test(name)) continue;
      const absolute = join(directory, name);
      const path = `${prefix}${name}`;
      const real = await realpath(absolute).catch((cause: unknown) => {
        throw new MillwrightError("ADDONS_INVALID", `${path} is a symbolic link to nothing.`, { subject: absolute, cause });
      });
      if (real !== top && !real.startsWith(top + sep)) {
        const hint = "Copy what it points to into the folder: a release must be whole in itself.";
        throw new MillwrightError("ADDONS_INVALID", `${path} is a symbolic link out of the addons folder.`, { subject: absolute, hint });
      }
      const status = await stat(real);
      if (status.isDirectory()) {
        await visit(absolute, `${path}/`, depth + 1);
      } else if (status.isFile()) {
        bytes += status.size;
        checkSize(path, status.size, found.length + 1, bytes);
        found.push({ path, absolute: real, sizeBytes: status.size, executable: (status.mode & 0o100) !== 0 });
      } else {
        throw new MillwrightError("ADDONS_INVALID", `${path} is neither a file nor a folder.`, { subject: absolute });
      }
    }
  }

  await visit(top, "", 0);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function checkSize(path: string, sizeBytes: number, files: number, treeBytes: number): void {
  const problem =
    sizeBytes > MAXIMUM.fileBytes
      ? `${path} is larger than ${MAXIMUM.fileBytes / 1024 ** 2} MiB.`
      : files > MAXIMUM.files
        ? `The folder holds more than ${MAXIMUM.files} files.`
        : treeBytes > MAXIMUM.treeBytes
          ? `The folder holds more than ${MAXIMUM.treeBytes / 1024 ** 2} MiB.`
          : undefined;
  if (problem === undefined) return;
  throw new MillwrightError("ADDONS_INVALID", problem, { subject: path, hint: "Keep only Odoo addons in the addons folder." });
}
