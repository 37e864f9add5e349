import type { BackupRecord } from "./backup-record.ts";
import type { Place } from "./repositories.ts";

/** A backup as one place holds it; undefined when that place does not have it. Pure. */
export function backupAt(place: Place, record: BackupRecord): BackupRecord | undefined {
  if (place === "local") return record.isOnlyOffsite === true ? undefined : record;
  const { host: _host, ...rest } = record;
  return record.offsite === undefined ? undefined : { ...rest, ...record.offsite };
}

/** Those that a place has, as it has them. Pure. */
export function backupsAt(place: Place, records: readonly BackupRecord[]): readonly BackupRecord[] {
  return records.map((record) => backupAt(place, record)).filter((record) => record !== undefined);
}
