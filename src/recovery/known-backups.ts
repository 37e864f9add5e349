import { parseJson } from "../kernel/parse-json.ts";
import { type BackupRecord, backupRecordSchema, readBackupRecords } from "./backup-record.ts";
import { backupAt, backupsAt } from "./backup-place.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";
import { type Place, repositoriesAt } from "./repositories.ts";

/** In a snapshot of the host: the backup's record, and the image of the release that served. */
export const RECORD_FILE = "backup.json";
export const RELEASE_ARCHIVE = "release.tar.gz";

type Deps = Pick<RecoveryDeps, "paths" | "archive" | "files" | "offsite">;

/** Those of a place that this host has made; on a new one, those that the place's own repository tells of. Oldest first. */
export async function knownBackups(deps: Deps, from: Place): Promise<readonly BackupRecord[]> {
  const { files } = repositoriesAt(from, deps);
  const own = await readBackupRecords(deps.paths);
  if (own.length > 0) return backupsAt(from, own);
  const told: BackupRecord[] = [];
  for (const { id } of await files.snapshots("host")) {
    const held = await toldBy(files, from, id);
    if (held !== undefined) told.push(held);
  }
  return told;
}

/** The newest that the offsite repository tells of, whoever made it. */
export async function newestOffsite(deps: Pick<Deps, "archive" | "files" | "offsite">): Promise<BackupRecord | undefined> {
  const { files } = repositoriesAt("offsite", deps);
  const newest = (await files.snapshots("host")).at(-1);
  return newest === undefined ? undefined : await toldBy(files, "offsite", newest.id);
}

async function toldBy(files: Deps["files"], from: Place, snapshot: string): Promise<BackupRecord | undefined> {
  const record = backupRecordSchema.safeParse(parseJson(await files.read(snapshot, RECORD_FILE))).data;
  return record === undefined ? undefined : backupAt(from, withHost(record, from, snapshot));
}

/** A record does not know the snapshot that it lies in itself. What the offsite repository tells of is not in the host's own. */
function withHost(record: BackupRecord, from: Place, snapshot: string): BackupRecord {
  if (from === "local") return { ...record, host: { snapshot } };
  const { offsite, ...own } = record;
  return { ...own, ...(offsite === undefined ? {} : { offsite: { ...offsite, host: { snapshot } } }), isOnlyOffsite: true };
}
