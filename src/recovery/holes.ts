import { MillwrightError } from "../kernel/errors.ts";
import type { DatabaseArchive } from "./database-archive.ts";
import { findGaps, type Gap, isBefore, isWithin } from "./wal-continuity.ts";

/** Segments are pushed several at a time, and the later of two may arrive first: a hole is what is still one when all of them have. */
export async function lastingHoles(look: () => Promise<readonly Gap[]>, allHaveArrived: () => Promise<void>): Promise<readonly Gap[]> {
  const found = await look();
  if (found.length === 0) return [];
  await allHaveArrived();
  const still = new Set((await look()).map(({ after }) => after));
  return found.filter(({ after }) => still.has(after));
}

/**
 * Throws ARCHIVE_BROKEN for a hole in the archived log that a restore from the newest backup meets, or that lies in what a backup itself needs. Others
 * take away the moments from there to the next backup, and no backup: they are returned, in words. Of a backup that was just made only its own count.
 */
export async function requireNoHoles(repository: DatabaseArchive, signal: AbortSignal, made?: string): Promise<string | undefined> {
  const look = async (): Promise<readonly Gap[]> => {
    const backups = await repository.backups();
    return findGaps(await repository.segments(signal), backups);
  };
  const holes = await lastingHoles(look, () => repository.check(signal));
  if (holes.length === 0) return undefined;
  const backups = await repository.backups();
  const newest = backups.findLast(({ label, isDamaged }) => (made === undefined ? !isDamaged : label === made));
  const met = holes.filter(
    (hole) => newest === undefined || !isBefore(hole, newest.firstSegment) || (made === undefined && backups.some((backup) => isWithin(hole, backup))),
  );
  if (met.length === 0) return `the log before the newest backup has ${describeHoles(holes)}: no moment from there to the backup after it can be restored`;
  throw brokenLog(met, "Make a backup at once, which needs nothing from before it: `millwright backup run`.");
}

export function brokenLog(holes: readonly Gap[], hint: string): MillwrightError {
  return new MillwrightError("ARCHIVE_BROKEN", `The archived log has ${holes.length === 1 ? "a hole" : `${holes.length} holes`}: no restore gets past it.`, {
    subject: "database",
    details: holes.map(describeHole),
    hint,
  });
}

function describeHoles(holes: readonly Gap[]): string {
  return `${holes.length === 1 ? "a hole" : `${holes.length} holes`} (${holes.map(describeHole).join("; ")})`;
}

function describeHole({ before, after, missing }: Gap): string {
  return before === undefined ? `segment ${after}, which a backup needs, is missing` : `${missing} missing between ${before} and ${after}`;
}
