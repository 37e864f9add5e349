import { parseJson } from "../kernel/parse-json.ts";
import { type BackupRecord, backupRecordSchema, readBackupRecords } from "./backup-record.ts";
import { backupAt, backupsAt } from "./backup-place.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";
import { type Place, repositoriesAt } from "./repositories.ts";

/** In a snapshot of the host: the backup's record, and the image of the release that served. */
export const RECORD_FILE = "backup.json";
export const RELEASE_ARCHIVE = "release.tar.gz";

type Deps = Pick<RecoveryDeps, "paths" | "archive" | "files" | "offsite">;

/**
 * Those of a place that this host has made, and on a new one those that the place's own repository tells of. The offsite repository outlives hosts: it has
 * those of the host that this one took over from as well. Oldest first.
 */
export async function knownBackups(deps: Deps, from: Place): Promise<readonly BackupRecord[]> {
  const { files } = repositoriesAt(from, deps);
  const made = await readBackupRecords(deps.paths);
  const own = backupsAt(from, made);
  if (from === "local" && made.length > 0) return own;
  const read = new Set(own.map(({ host }) => host?.snapshot));
  const known = new Map<string, BackupRecord>();
  for (const { id } of await files.snapshots("host")) {
    const held = read.has(id) ? undefined : await toldBy(files, from, id);
    if (held !== undefined) known.set(held.id, held);
  }
  for (const record of own) known.set(record.id, record);
  return [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
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
