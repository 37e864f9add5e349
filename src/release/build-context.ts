import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Header, pack } from "tar-stream";
import type { ContextFacts } from "./dockerfile.ts";
import { walkTree } from "./walk-tree.ts";
import { CONTEXT_FACTS } from "./write-dockerfile.ts";

export interface ContextSource extends ContextFacts {
  readonly addons: string;
  /** Path of requirements.txt, if the site has one. */
  readonly requirements?: string;
  /** Folder with the wheels of the requirements, for builds without a network. */
  readonly wheels?: string;
}

/** One instant for every entry: the bytes of a context depend on the content of the files only. */
const MTIME = new Date("2000-01-01T00:00:00Z");

/** The build context of a release as a tar stream, the same bytes for the same files. */
export async function buildContext(source: ContextSource): Promise<Readable> {
  const requirements = source.requirements === undefined ? undefined : await readFile(source.requirements, "utf8");
  const { base, user, release, site, revision } = source;
  const facts: ContextFacts = { base, user, release, site, revision };
  const trees = [{ prefix: "addons", files: await walkTree(source.addons) }];
  if (source.wheels !== undefined) trees.push({ prefix: "wheels", files: await walkTree(source.wheels) });

  const tar = pack();
  async function fill(): Promise<void> {
    tar.entry(header(CONTEXT_FACTS, 0o644), JSON.stringify(facts));
    if (requirements !== undefined) tar.entry(header("requirements.txt", 0o644), requirements);
    for (const { prefix, files } of trees) {
      // An empty addons folder is a plain Odoo release; COPY still needs the folder.
      tar.entry({ ...header(`${prefix}/`, 0o755), type: "directory" });
      for (const directory of directoriesOf(files.map((file) => file.path))) {
        tar.entry({ ...header(join(prefix, directory, "/"), 0o755), type: "directory" });
      }
      for (const file of files) {
        const entry = tar.entry({ ...header(`${prefix}/${file.path}`, file.executable ? 0o755 : 0o644), size: file.sizeBytes });
        await pipeline(createReadStream(file.absolute), entry);
      }
    }
    tar.finalize();
  }
  fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar, { objectMode: false });
}

function header(name: string, mode: number): Pick<Header, "name"> & Partial<Header> {
  return { name, mode, mtime: MTIME, uid: 0, gid: 0, uname: "", gname: "" };
}

function directoriesOf(paths: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    for (let length = 1; length <= parts.length; length += 1) found.add(parts.slice(0, length).join("/"));
  }
  return [...found].sort();
}
