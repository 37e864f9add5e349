import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { namesIn, writeDurable } from "../kernel/durable-file.ts";
import { readState } from "../kernel/read-state.ts";

/** Rows of tables that only grow or change slowly, by table: a restored database must not have fewer. */
const countsSchema = z.record(z.string(), z.number());

/** What a place holds of a backup. */
const heldSchema = {
  /** When the database's backup began: what was written later came in with the archived log. */
  at: z.string(),
  ended: z.string(),
  database: z.object({ label: z.string(), type: z.enum(["full", "diff", "incr"]), size: z.number(), added: z.number() }),
  files: z.object({ snapshot: z.string(), files: z.number(), bytes: z.number(), added: z.number() }),
  host: z.object({ snapshot: z.string() }).optional(),
};

/** One backup, all of it there: the database's, the files taken after it, and what the host itself needs. */
export const backupRecordSchema = z.object({
  version: z.literal(1),
  /** The run that made it. */
  id: z.string(),
  stack: z.string(),
  ...heldSchema,
  /** The same in the offsite repository (its place), made after it; absent when there is none, or when it could not be made. */
  offsite: z.object({ ...heldSchema, place: z.string() }).optional(),
  /** The host's own repository has dropped it already. */
  isOnlyOffsite: z.boolean().optional(),
  /** The site folder that it holds; absent when the host was given none. */
  site: z.object({ hash: z.string(), hasRecoveryKey: z.boolean() }).optional(),
  who: z.string(),
  release: z.object({ id: z.string(), image: z.string() }),
  counts: countsSchema,
  /** Modules installed in Odoo. */
  modules: z.array(z.string()),
});

export type BackupRecord = z.infer<typeof backupRecordSchema>;
export type Counts = z.infer<typeof countsSchema>;

type Paths = Pick<HostPaths, "backups">;

export async function writeBackupRecord({ backups }: Paths, record: BackupRecord): Promise<void> {
  await writeDurable(join(backups, `${record.id}.json`), `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

/** Oldest first. */
export async function readBackupRecords({ backups }: Paths): Promise<readonly BackupRecord[]> {
  const found = await Promise.all(
    (await namesIn(backups)).filter((name) => /^\d.*\.json$/.test(name)).map(async (name) => await readState(join(backups, name), backupRecordSchema)),
  );
  return found.filter((record) => record !== undefined).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Drops the records of backups that the repository does not hold any more. */
export async function removeBackupRecords({ backups }: Paths, ids: readonly string[]): Promise<void> {
  for (const id of ids) await rm(join(backups, `${id}.json`), { force: true });
}
