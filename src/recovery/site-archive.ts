import { buffer, text } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { extract } from "tar-stream";
import { hasCode } from "../kernel/durable-file.ts";
import type { Secret } from "../kernel/secret.ts";
import { packed, plainHeader } from "../release/plain-tar.ts";
import { damaged, seal, type SealedWords, unseal } from "../secrets/age.ts";
import { KEPT_PATH, type SiteFolder } from "./site-folder.ts";

/** Far above any site folder. */
const LIMIT = 64 * 1024 * 1024;

const WORDS: SealedWords = {
  name: "The site folder in the backup",
  locked: "Take the recovery key that was made for this site (`millwright secrets recovery-key`), or the identity of one of its operators.",
  damaged: "Take that of the offsite repository, or of another copy of the backups' disk.",
};

/** A site folder as one armored text; without this program `age -d -i KEY site.tar.gz.age | tar -xz` opens it. */
export async function sealSiteFolder(folder: SiteFolder, recipients: readonly string[]): Promise<string> {
  const tar = await buffer(
    packed(async (into) => {
      for (const [path, content] of folder) into.entry(plainHeader(path, 0o644), content);
    }),
  );
  return await seal(await promisify(gzip)(tar), recipients);
}

/** Throws VAULT_LOCKED when it is not for this identity, VAULT_INVALID when it is damaged or holds what no site folder of ours does. */
export async function openSiteFolder(armored: string, identity: Secret): Promise<SiteFolder> {
  const tar = await unzip(await unseal(armored, identity, WORDS));
  const found = new Map<string, string>();
  const entries = extract();
  entries.end(tar);
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header;
      // Whoever could write to the repository could have put it there: a path out of the folder, a link, a hook of git's.
      if (type !== "file" || !KEPT_PATH.test(name)) throw damaged(WORDS, `it holds ${name}, which no site folder brings to a backup`);
      found.set(name, await text(entry));
    }
  } catch (cause) {
    if (cause instanceof Error && /tar|header|unexpected end/i.test(cause.message)) throw damaged(WORDS, "it is no tar, or cut short", cause);
    throw cause;
  }
  if (!found.has("site.yaml")) throw damaged(WORDS, "it has no site.yaml");
  return found;
}

async function unzip(bytes: Uint8Array): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LIMIT });
  } catch (cause) {
    if (hasCode(cause, "ERR_BUFFER_TOO_LARGE")) throw damaged(WORDS, `it is bigger than ${LIMIT / 1024 / 1024} MiB`, cause);
    throw damaged(WORDS, "it is not gzip", cause);
  }
}
