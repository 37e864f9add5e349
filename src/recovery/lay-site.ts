import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeDurable } from "../kernel/durable-file.ts";
import type { DatabaseArchive } from "./database-archive.ts";
import { type KeptSite, SITE_ARCHIVE } from "./kept-site.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";

type Deps = Pick<RecoveryDeps, "paths">;

/** In plain view beside the host's repositories: what opens them is in there, so it cannot be inside. */
export async function laySite({ paths }: Deps, { archive }: KeptSite): Promise<void> {
  await writeDurable(join(paths.backup, SITE_ARCHIVE), archive);
}

/** The same in the offsite repository, by the program that writes there; it is handed over in the folder that its container sees. */
export async function laySiteOffsite({ paths }: Deps, database: DatabaseArchive, { archive }: KeptSite, signal: AbortSignal): Promise<void> {
  const handed = join(paths.backup, "database", SITE_ARCHIVE);
  await writeDurable(handed, archive);
  try {
    await database.lay(SITE_ARCHIVE, signal);
  } finally {
    await rm(handed, { force: true });
  }
}
