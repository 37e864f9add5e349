import { readFile } from "node:fs/promises";
import { hashOf, sha256 } from "../kernel/canonical.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { Release } from "./release-file.ts";
import { isSchemaRelevant } from "./schema-relevant.ts";
import { type TreeFile, walkTree } from "./walk-tree.ts";

const ADDON_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const MANIFEST_VERSION = /["']version["']\s*:\s*["']([^"'\n]+)["']/;

/** Each addon of a folder with its manifest's version and its two hashes. Every folder in it must be an addon. */
export async function hashAddons(root: string): Promise<Release["addons"]> {
  const byAddon = new Map<string, TreeFile[]>();
  for (const file of await walkTree(root)) {
    const slash = file.path.indexOf("/");
    // A README or a requirements.txt beside the addons belongs to none of them.
    if (slash < 0) continue;
    const name = file.path.slice(0, slash);
    if (name.startsWith(".")) continue;
    byAddon.set(name, [...(byAddon.get(name) ?? []), file]);
  }
  const addons: Record<string, Release["addons"][string]> = {};
  for (const [name, files] of byAddon) addons[name] = await hashAddon(name, files);
  return addons;
}

async function hashAddon(name: string, files: readonly TreeFile[]): Promise<Release["addons"][string]> {
  if (!ADDON_NAME.test(name)) {
    throw new MillwrightError("ADDONS_INVALID", `"${name}" cannot be the name of an addon: Odoo imports it as a Python package.`, { subject: name });
  }
  const content: Record<string, string> = {};
  const schema: Record<string, string> = {};
  let version: string | undefined;
  for (const file of files) {
    const path = file.path.slice(name.length + 1);
    const bytes = await readFile(file.absolute);
    const hash = sha256(bytes);
    content[path] = hash;
    if (isSchemaRelevant(path, () => bytes.toString("utf8"))) schema[path] = hash;
    // Odoo's own default for a manifest without a version.
    if (path === "__manifest__.py") version = MANIFEST_VERSION.exec(bytes.toString("utf8"))?.[1] ?? "1.0";
  }
  if (version === undefined) {
    const hint = "Each folder in addons/ must be one addon; move others out of it.";
    throw new MillwrightError("ADDONS_INVALID", `addons/${name} has no __manifest__.py.`, { subject: name, hint });
  }
  return { version, content: hashOf(content), schema: hashOf(schema) };
}
