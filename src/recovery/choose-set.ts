import { MillwrightError } from "../kernel/errors.ts";
import type { DatabaseBackup, RestoreTarget } from "./database-archive.ts";
import { leadsTo, type NewestLine } from "./newest-line.ts";

/**
 * The backup of the database that a restore begins with: the newest before the moment that has no damaged pages. pgBackRest by itself takes a
 * damaged one as well. For all of the log it must lie on the newest line of it, where the repository holds more than one: after a restore to an earlier moment, or a
 * failover, the newest backup may be of the line that was left. Pure.
 */
export function chooseSet(backups: readonly DatabaseBackup[], target: RestoreTarget, line?: NewestLine): DatabaseBackup {
  const whole = backups.filter(({ isDamaged }) => !isDamaged);
  const set = whole.findLast((backup) => {
    const { label, ended } = backup;
    switch (target.kind) {
      case "latest":
        return line === undefined || leadsTo(backup, line);
      case "time":
        return ended <= target.at;
      case "backup":
        return label === target.label;
    }
  });
  if (set !== undefined) return set;
  const wanted = target.kind === "backup" ? `Backup ${target.label}` : `A backup of the database from before ${target.kind === "time" ? target.at : "now"}`;
  const whyElse = line === undefined ? "or has damaged pages" : "has damaged pages, or was made after its line of the log was left";
  throw new MillwrightError("RESTORE_FAILED", `${wanted} is not in the repository, ${whyElse}.`, { subject: "database" });
}
