import type { DatabaseBackup } from "./database-archive.ts";
import { FULL_DAYS } from "./due.ts";
import { MINUTE, type Snapshot } from "./file-repository.ts";

const DAY = 86_400_000;
/** Snapshots that are taken whenever there are new files are for the way back to a minute of the last days. */
const MINUTE_DAYS = 2;

/**
 * How many of the newest full backups stay, for the rest to reach back so many days from the newest. By age alone a clock that was ahead once would
 * drop all that was made before; by number alone, a day with many would. So one goes only when it is too much by both. Those with damaged pages
 * are no reason for a good one to go. Pure.
 */
export function fullsToKeep(backups: readonly DatabaseBackup[], keepDays: number): number {
  const fulls = backups.filter(({ type }) => type === "full");
  const good = fulls.flatMap((backup, index) => (backup.isDamaged ? [] : [{ index, began: Date.parse(backup.began) }]));
  const newest = backups.at(-1);
  const limit = newest === undefined ? 0 : Date.parse(newest.began) - keepDays * DAY;
  // The one before the limit as well: what is between them begins at it.
  const oldestByAge = good.findLast(({ began }) => began <= limit)?.index ?? 0;
  const oldestByNumber = good.at(-(Math.ceil(keepDays / FULL_DAYS) + 1))?.index ?? 0;
  return fulls.length - Math.min(oldestByAge, oldestByNumber);
}

/**
 * Snapshots that no restore needs: older than the database's oldest backup, but for the last one before it; and those of a minute after two days
 * and two daily ones. Given and returned oldest first. Pure.
 */
export function snapshotsToDrop(snapshots: readonly Snapshot[], oldestBackup: string | undefined, now: number): readonly string[] {
  const isOfMinute = ({ tags }: Snapshot): boolean => tags.includes(MINUTE);
  const daily = snapshots.filter((snapshot) => !isOfMinute(snapshot)).at(-(MINUTE_DAYS + 1));
  const isPast = (snapshot: Snapshot): boolean =>
    isOfMinute(snapshot) && daily !== undefined && snapshot.at < daily.at && now - Date.parse(snapshot.at) > MINUTE_DAYS * DAY;
  const rest = snapshots.filter((snapshot) => !isPast(snapshot));
  const before = oldestBackup === undefined ? undefined : rest.findLast(({ at }) => at < oldestBackup);
  const kept = new Set(rest.filter(({ at }) => before === undefined || at >= before.at));
  return snapshots.filter((snapshot) => !kept.has(snapshot)).map(({ id }) => id);
}
