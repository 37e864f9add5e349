import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CONTEXT_FACTS, type ContextFacts } from "./read-context.ts";
import { packed, plainHeader } from "./plain-tar.ts";
import { walkTree } from "./walk-tree.ts";

export interface ContextSource extends ContextFacts {
  readonly addons: string;
  /** Path of requirements.txt, if the site has one. */
  readonly requirements?: string;
  /** Folder with the wheels of the requirements, for builds without a network. */
  readonly wheels?: string;
}

/** The build context of a release as a tar stream, the same bytes for the same files. */
export async function buildContext(source: ContextSource): Promise<Readable> {
  const requirements = source.requirements === undefined ? undefined : await readFile(source.requirements, "utf8");
  const facts: ContextFacts = { base: source.base };
  const trees = [{ prefix: "addons", files: await walkTree(source.addons) }];
  if (source.wheels !== undefined) trees.push({ prefix: "wheels", files: await walkTree(source.wheels) });

  return packed(async (tar) => {
    tar.entry(plainHeader(CONTEXT_FACTS, 0o644), JSON.stringify(facts));
    if (requirements !== undefined) tar.entry(plainHeader("requirements.txt", 0o644), requirements);
    for (const { prefix, files } of trees) {
      // An empty addons folder is a plain Odoo release.
      tar.entry({ ...plainHeader(`${prefix}/`, 0o755), type: "directory" });
      for (const file of files) {
        const entry = tar.entry({ ...plainHeader(`${prefix}/${file.path}`, file.executable ? 0o755 : 0o644), size: file.sizeBytes });
        await pipeline(createReadStream(file.absolute), entry);
      }
    }
  });
}
