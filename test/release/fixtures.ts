import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { sha256 } from "../../src/kernel/canonical.ts";
import { makeRelease } from "../../src/release/make-release.ts";
import type { Release } from "../../src/release/release-file.ts";
import { untar } from "../fakes/fake-engine.ts";

export const DIGEST = `sha256:${"a".repeat(64)}`;

export async function tree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "millwright-"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

export function release(overrides: Partial<Release> = {}): Release {
  return makeRelease({
    id: "2026-11-24-1",
    site: "acme",
    series: "19.0",
    createdAt: "2026-11-24T10:00:00.000Z",
    createdBy: "operator",
    revision: "0123abc",
    notes: "First",
    image: DIGEST,
    layers: [DIGEST],
    base: `odoo:19@${DIGEST}`,
    requirements: "",
    addons: { scale: { version: "1.2", content: "c1", schema: "s1" } },
    ...overrides,
  });
}

export const hex = (name: string): string => sha256(name);
export const layer = (name: string): string => `sha256:${hex(name)}`;

/** A base image as sites name it. */
export const BASE = `odoo:19@${DIGEST}`;

/** A tar of files with these texts, as a stream. */
export function tar(files: Readonly<Record<string, string>>): Readable {
  const out = pack();
  for (const [name, content] of Object.entries(files)) out.entry({ name, mtime: new Date(0) }, content);
  out.finalize();
  return Readable.from(out, { objectMode: false });
}

/** The texts of a tar's files, by name. */
export async function texts(archive: Readable): Promise<Record<string, string>> {
  const files = [...(await untar(archive))].filter(([, { header }]) => header.type === "file");
  return Object.fromEntries(files.map(([name, { content }]) => [name, content.toString("utf8")]));
}
