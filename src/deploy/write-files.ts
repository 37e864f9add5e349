import { readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { HostPaths } from "../blueprint/host-paths.ts";
import type { MaterialisedFile } from "./materialised-file.ts";
import { isMissing, makeDirectory, namesIn, readIfThere, syncDirectory, writeDurable } from "../kernel/durable-file.ts";

export type FileState = "whole" | "missing" | "altered";

/** How a file lies on the disk, against what it should be. */
export async function fileState(file: MaterialisedFile): Promise<FileState> {
  try {
    const present = await stat(file.path);
    if (!present.isFile() || (present.mode & 0o777) !== file.mode || present.uid !== file.uid) return "altered";
    return (await readFile(file.path, "utf8")) === file.content ? "whole" : "altered";
  } catch (error) {
    if (isMissing(error)) return "missing";
    throw error;
  }
}

/** Puts content-addressed files in place; those that are whole are left alone. Single files come singly, folders at once. */
export async function writeFiles(paths: HostPaths, files: readonly MaterialisedFile[]): Promise<void> {
  await makeDirectory(paths.files, 0o755);
  await makeDirectory(paths.secrets, 0o700);
  const trees = new Map<string, MaterialisedFile[]>();
  for (const file of files) {
    if (file.tree !== undefined) trees.set(file.tree, [...(trees.get(file.tree) ?? []), file]);
    else if ((await fileState(file)) !== "whole") await writeDurable(file.path, file.content, file);
  }
  for (const [tree, inside] of trees) await writeTree(tree, inside);
}

async function writeTree(tree: string, files: readonly MaterialisedFile[]): Promise<void> {
  const states = await Promise.all(files.map(fileState));
  if (states.every((state) => state === "whole")) return;
  const temporary = join(dirname(tree), `.new-${relative(dirname(tree), tree)}`);
  await rm(temporary, { recursive: true, force: true });
  for (const file of files) {
    const path = join(temporary, relative(tree, file.path));
    await makeDirectory(dirname(path), 0o755);
    await writeDurable(path, file.content, file);
  }
  await rm(tree, { recursive: true, force: true });
  await rename(temporary, tree);
  await syncDirectory(dirname(tree));
}

/** What the compose.yaml files on the host hold: the platform's, its predecessor's, and the colours'. */
export async function composeTexts(paths: HostPaths): Promise<string> {
  const composeFiles = [join(paths.platform, "compose.yaml"), join(previousPlatform(paths), "compose.yaml")];
  for (const colour of ["blue", "green"] as const) composeFiles.push(join(paths.colour(colour), "compose.yaml"));
  const texts = await Promise.all(composeFiles.map(readIfThere));
  return texts.filter((text) => text !== undefined).join("\n");
}

/** Removes the files and folders that neither a compose.yaml on the host nor the file of the certificate, or its predecessor, names any more. */
export async function removeUnusedFiles(paths: HostPaths): Promise<number> {
  const pointers = await Promise.all([paths.certificate, keptCertificate(paths)].map(readIfThere));
  const named = [await composeTexts(paths), ...pointers].join("\n");
  let removed = 0;
  for (const folder of [paths.files, paths.secrets, paths.certificates]) {
    for (const name of await namesIn(folder)) {
      // By its content-addressed name: the proxy knows the folder of certificates by another path.
      if (named.includes(`/${name}`)) continue;
      await rm(join(folder, name), { recursive: true, force: true });
      removed += 1;
    }
  }
  return removed;
}

/** Where the configuration before the present one is kept for undoing. */
export function previousPlatform(paths: HostPaths): string {
  return join(paths.platform, "previous");
}

/** The file that named the certificate before. */
export function keptCertificate(paths: HostPaths): string {
  return join(previousPlatform(paths), "certificate.yml");
}
