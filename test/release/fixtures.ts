import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeRelease } from "../../src/release/make-release.ts";
import type { Release } from "../../src/release/release-file.ts";

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
