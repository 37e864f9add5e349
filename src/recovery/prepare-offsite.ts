import { MillwrightError } from "../kernel/errors.ts";
import { readBackupRecords } from "./backup-record.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";
import type { Repositories } from "./repositories.ts";

/**
 * Whether the offsite repository may be made: never where this host has kept backups before. One that is gone from there was taken away, and a new
 * one in its place would hide that, and lie over the old versions that a bucket still has.
 */
export async function mayBeMade({ paths }: Pick<RecoveryDeps, "paths">, place: string): Promise<boolean> {
  return !(await readBackupRecords(paths)).some(({ offsite }) => offsite?.place === place);
}

/** Throws ARCHIVE_BROKEN when it had backups and has none. */
export async function prepareOffsite(deps: Pick<RecoveryDeps, "paths">, { archive }: Pick<Repositories, "archive">, place: string): Promise<void> {
  if (await mayBeMade(deps, place)) {
    await archive.prepare();
    return;
  }
  if (await holdsBackups(archive)) return;
  throw new MillwrightError("ARCHIVE_BROKEN", `The offsite repository ${place} held backups and holds none: somebody has emptied it, or it is another.`, {
    subject: "offsite",
    hint: "Bring back what it held (docs/backup.md says how), or begin anew in another `backup.offsite.path`.",
  });
}

async function holdsBackups(archive: Repositories["archive"]): Promise<boolean> {
  try {
    return (await archive.backups()).length > 0;
  } catch (error) {
    // Out of reach is another matter, and has its own words.
    if (error instanceof MillwrightError && error.message.includes("missing stanza")) return false;
    throw error;
  }
}
