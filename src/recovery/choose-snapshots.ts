import { MillwrightError } from "../kernel/errors.ts";
import type { Snapshot } from "./file-repository.ts";

/** Which snapshots make up the files of one moment. */
export interface ChosenSnapshots {
  readonly base: Snapshot;
  /** Laid under it: files that were removed between the two. */
  readonly fillIn: Snapshot | undefined;
  /** Up to here every file is in them, whatever was removed since, ISO 8601. */
  readonly completeTo: string;
}

/**
 * The files for a database as it was at an instant; without one, as it is at the end of its log. The first snapshot after the instant has every
 * file that was written before, save those that Odoo has removed since: the last one before it has these. Names are hashes of the content, so
 * the two together are never wrong. Pure.
 */
export function chooseSnapshots(snapshots: readonly Snapshot[], instant: string | undefined): ChosenSnapshots {
  const newest = snapshots.at(-1);
  if (newest === undefined) throw new MillwrightError("RESTORE_FAILED", "There is no snapshot of the files.", { subject: "files" });
  if (instant === undefined) return { base: newest, fillIn: undefined, completeTo: newest.at };
  const after = snapshots.find(({ at }) => at >= instant);
  const before = snapshots.findLast(({ at }) => at < instant);
  const base = after ?? newest;
  const fillIn = before?.id === base.id ? undefined : before;
  // What was written after it and lost before the next one, which may be what the restore is for, is in neither.
  return { base, fillIn, completeTo: fillIn?.at ?? base.at };
}
