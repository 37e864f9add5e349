import { chooseSet } from "./choose-set.ts";
import type { DatabaseArchive, DatabaseBackup } from "./database-archive.ts";
import { newestLine } from "./newest-line.ts";

/** The backup that all of the log is replayed from. `ask` runs a command where the repository can be reached, and gives what it says. */
export async function newestSet({ listing }: Pick<DatabaseArchive, "listing">, ask: (words: readonly string[]) => Promise<string>): Promise<DatabaseBackup> {
  const backups = listing.backups(await ask(listing.backupsWords));
  const newest = listing.newestHistory(await ask(listing.segmentsWords));
  return chooseSet(backups, { kind: "latest" }, newest === undefined ? undefined : newestLine(newest.timeline, await ask(newest.words)));
}
