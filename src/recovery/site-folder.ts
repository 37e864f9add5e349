import { join } from "node:path";
import { hashOf } from "../kernel/canonical.ts";
import { namesIn, readIfThere } from "../kernel/durable-file.ts";
import { pemFiles, type Site } from "../site/site.ts";

/** Texts of a site folder by their path in it. */
export type SiteFolder = ReadonlyMap<string, string>;

/**
 * All that a site folder may bring to a backup, and nothing else that lies in it: what millwright reads there, none of it a plain secret. The
 * addons are not among it: a release's image holds them.
 */
export const KEPT_PATH =
  /^(site\.yaml|images\.lock\.yaml|known_hosts|README\.md|\.gitignore|secrets\/recipients\.yaml|(secrets\/[a-z0-9][a-z0-9-]*\.age)|((releases|overrides)\/[a-zA-Z0-9_][a-zA-Z0-9_.-]*\.yaml)|(certificates\/[a-zA-Z0-9_-][a-zA-Z0-9_.-]*))$/;

const FOLDERS = ["overrides", "releases", "secrets"];
const AUTHORITY = "certificates/ca.pem";

/** In the order of their paths, so that the same folder is the same bytes. */
export async function readSiteFolder(site: Site): Promise<SiteFolder> {
  const listed = await Promise.all(FOLDERS.map(async (folder) => (await namesIn(join(site.directory, folder))).map((name) => `${folder}/${name}`)));
  // Of the certificates those that the site names: a plain key may have been left beside them.
  const certificates = [...site.environments.values()].flatMap(pemFiles);
  const top = ["site.yaml", "images.lock.yaml", "known_hosts", "README.md", ".gitignore"];
  const paths = [...new Set([...top, AUTHORITY, ...certificates, ...listed.flat()])].filter((path) => KEPT_PATH.test(path)).sort();
  const texts = await Promise.all(paths.map(async (path) => [path, await readIfThere(join(site.directory, path))] as const));
  return new Map(texts.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

/** By it a folder is known to be kept already: encrypted, the same one is other bytes each time. */
export function siteFolderHash(folder: SiteFolder): string {
  return hashOf(Object.fromEntries(folder));
}
