import type { Clock } from "../kernel/clock.ts";
import type { DatabaseBackup } from "./database-archive.ts";
import type { Repositories } from "./repositories.ts";
import { fullsToKeep, snapshotsToDrop } from "./retention.ts";

/** Drops what a place holds beyond so many days, the files after the database's backups that need them. Returns the backups that are left. */
export async function dropOld({ archive, files }: Repositories, keepDays: number, clock: Clock, signal: AbortSignal): Promise<readonly DatabaseBackup[]> {
  const keep = fullsToKeep(await archive.backups(), keepDays);
  if (keep > 0) await archive.expire(keep, signal);
  const backups = await archive.backups();
  const [oldest] = backups.map(({ began }) => began).sort();
  const [ofFiles, ofHost] = [await files.snapshots("files"), await files.snapshots("host")];
  await files.forget(
    [ofFiles, ofHost].flatMap((snapshots) => snapshotsToDrop(snapshots, oldest, clock.now())),
    signal,
  );
  return backups;
}
