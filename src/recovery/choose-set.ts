import { MillwrightError } from "../kernel/errors.ts";
import type { DatabaseBackup, RestoreTarget } from "./database-archive.ts";

/**
 * The backup of the database that a restore begins with: the newest before the moment that has no damaged pages. pgBackRest by itself takes a
 * damaged one as well. Pure.
 */
export function chooseSet(backups: readonly DatabaseBackup[], target: RestoreTarget): DatabaseBackup {
  const whole = backups.filter(({ isDamaged }) => !isDamaged);
  const set = whole.findLast(({ label, ended }) => {
    switch (target.kind) {
      case "latest":
        return true;
      case "time":
        return ended <= target.at;
      case "backup":
        return label === target.label;
    }
  });
  if (set !== undefined) return set;
  const wanted = target.kind === "backup" ? `Backup ${target.label}` : `A backup of the database from before ${target.kind === "time" ? target.at : "now"}`;
  throw new MillwrightError("RESTORE_FAILED", `${wanted} is not in the repository, or has damaged pages.`, { subject: "database" });
}
