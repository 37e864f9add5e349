import { chown, rm, writeFile } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Clock, timestamp } from "../../kernel/clock.ts";
import { makeDirectory, namesIn, readIfThere, readShort } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { RunView, StepCode, StepResult } from "../../kernel/run-plan.ts";
import { type BackupRecord, backupRecordSchema, readBackupRecords, removeBackupRecords, writeBackupRecord } from "../backup-record.ts";
import { backupsAt } from "../backup-place.ts";
import { countRows, installedModules } from "../counts.ts";
import type { DatabaseArchive, DatabaseBackup } from "../database-archive.ts";
import type { FileRepository, SnapshotResult } from "../file-repository.ts";
import { findGaps, type Gap } from "../wal-continuity.ts";
import { RECORD_FILE, RELEASE_ARCHIVE } from "../known-backups.ts";
import { planOf, repositoriesOf, type RecoveryRun } from "../recovery-context.ts";

type Code = StepCode<RecoveryRun>;

const DAY_MILLISECONDS = 86_400_000;
const CERTIFICATES_LIMIT = 4 * 1024 * 1024;

/** One segment of the log goes the whole way into the repository. */
export const seeArchive: Code = {
  async do(run, _step, { signal }) {
    const { archive: repository } = repositoriesOf(run);
    // The offsite one is made by a backup only.
    if (repository === run.archive) await repository.prepare();
    await repository.check(signal);
  },
};

export const countBefore: Code = {
  async do({ psql, stack }) {
    const { database } = stack.facts;
    const counts = await countRows(psql, database);
    const modules = await installedModules(psql, database);
    const rows = Object.values(counts).reduce((sum, some) => sum + some, 0);
    return { counts, modules, summary: `${modules.length} modules, ${rows} rows of their work` };
  },
};

export const backUpDatabase: Code = {
  async do(run, _step, { signal }) {
    return resultOfDatabase(await run.archive.backup(planOf(run, "backup").type, signal));
  },
};

export const snapshotFiles: Code = {
  async do(run, _step, { signal }) {
    await run.files.prepare();
    return resultOfFiles(await run.files.take("files", run.run, signal));
  },
};

export const snapshotHost: Code = {
  do: (run, _step, view) => takeHost(run, run.files, recordOf(run, view), view.signal),
};

/** What the host keeps beside data, laid out for the snapshot as files of the user that takes it. */
export async function takeHost(run: RecoveryRun, files: FileRepository, draft: BackupRecord, signal: AbortSignal): Promise<{ readonly snapshot: string }> {
  const { paths, stack } = run;
  const folder = join(paths.data, "recovery-host");
  const sources: Readonly<Record<string, string>> = {
    [RECORD_FILE]: `${JSON.stringify(draft, null, 2)}\n`,
    "stack.json": `${JSON.stringify(stack)}\n`,
    ...(await texts({
      "serving.json": join(paths.state, "serving.json"),
      "journal.jsonl": paths.journal,
      "host.yaml": "/etc/millwright/host.yaml",
    })),
    ...(await certificates(join(paths.data, "acme/acme.json"))),
  };
  await emptyFolder(folder);
  for (const [name, content] of Object.entries(sources)) await writeFile(join(folder, name), content, { mode: 0o400 });
  const archive = createWriteStream(join(folder, RELEASE_ARCHIVE), { mode: 0o400 });
  await pipeline(await run.saveRelease(planOf(run, "backup").release.image), archive);
  const owner = stack.facts.directories.find(({ path }) => path.endsWith("/data/recovery-host"));
  if (owner !== undefined) for (const name of await namesIn(folder)) await chown(join(folder, name), owner.uid, owner.gid);
  try {
    const { id: snapshot } = await files.take("host", run.run, signal);
    return { snapshot };
  } finally {
    await emptyFolder(folder);
  }
}

export const findHoles: Code = {
  async do(run, _step, { signal }) {
    await requireNoHoles(repositoriesOf(run).archive, signal);
    return { summary: "none" };
  },
};

export async function requireNoHoles(repository: DatabaseArchive, signal: AbortSignal): Promise<void> {
  const look = async (): Promise<readonly Gap[]> => {
    const backups = await repository.backups();
    return findGaps(await repository.segments(signal), backups);
  };
  let found = await look();
  if (found.length > 0) {
    // Segments are pushed several at a time, and the later of two may arrive first: a hole is what is still one when all of them have.
    await repository.check(signal);
    const still = new Set((await look()).map(({ after }) => after));
    found = found.filter(({ after }) => still.has(after));
  }
  if (found.length === 0) return;
  const details = found.map(({ before, after, missing }) =>
    before === undefined ? `segment ${after}, which a backup needs, is missing` : `${missing} missing between ${before} and ${after}`,
  );
  throw new MillwrightError("ARCHIVE_BROKEN", `The archived log has ${found.length === 1 ? "a hole" : `${found.length} holes`}: no restore gets past it.`, {
    subject: "database",
    details,
    hint: "Make a full backup at once, which needs nothing from before it: `millwright backup run --full`.",
  });
}

export const record: Code = {
  async do(run, _step, view) {
    await writeBackupRecord(run.paths, { ...recordOf(run, view), ended: timestamp(run.clock) });
  },
};

export const forget: Code = {
  async do({ files: repository, archive: database, paths, stack, clock }, _step, { signal }) {
    // pgBackRest drops its own after each backup.
    const backups = await database.backups();
    await repository.forget(daysOfFiles(backups, stack.facts.backup.keepDays, clock), signal);
    const labels = new Set(backups.map(({ label }) => label));
    const gone = backupsAt("local", await readBackupRecords(paths)).filter((known) => !labels.has(known.database.label));
    for (const known of gone) {
      if (known.offsite === undefined) await removeBackupRecords(paths, [known.id]);
      else await writeBackupRecord(paths, { ...known, isOnlyOffsite: true });
    }
    return gone.length === 0 ? {} : { summary: `${gone.length} dropped` };
  },
};

/** pgBackRest keeps a full backup for longer when younger ones build on it: their files must not be gone before them. */
export function daysOfFiles(backups: readonly DatabaseBackup[], keepDays: number, clock: Clock): number {
  return Math.max(keepDays, ...backups.map(({ began }) => Math.ceil((clock.now() - Date.parse(began)) / DAY_MILLISECONDS)));
}

export function resultOfDatabase({ began: at, label, type, size: bytes, added }: DatabaseBackup): StepResult {
  return { at, label, type, size: bytes, added, summary: `${label}, ${size(added)} added` };
}

export function resultOfFiles({ id: snapshot, files, bytes, added }: SnapshotResult): StepResult {
  return { snapshot, files, bytes, added, summary: `${files} files, ${size(added)} added` };
}

/** Put together from what the steps before have returned. */
export function recordOf(run: RecoveryRun, view: Pick<RunView, "resultOf">): BackupRecord {
  const [counted, made, snapshot, ofHost] = ["count", "database", "files", "host"].map((step) => view.resultOf(step));
  return backupRecordSchema.parse({
    version: 1,
    id: run.run,
    stack: run.stack.facts.stack,
    at: made?.["at"],
    ended: timestamp(run.clock),
    who: run.who,
    release: planOf(run, "backup").release,
    database: made,
    files: snapshot,
    ...(ofHost === undefined ? {} : { host: ofHost }),
    counts: counted?.["counts"],
    modules: counted?.["modules"],
  });
}

/** Texts of the files that are there, by name. */
async function texts(sources: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(Object.entries(sources).map(async ([name, path]) => [name, await readIfThere(path)] as const));
  return Object.fromEntries(found.filter((entry): entry is readonly [string, string] => entry[1] !== undefined));
}

/** The proxy writes this file itself, in a folder of its own. */
async function certificates(path: string): Promise<Readonly<Record<string, string>>> {
  const text = await readShort(path, CERTIFICATES_LIMIT);
  return text === undefined ? {} : { "acme.json": text };
}

async function emptyFolder(folder: string): Promise<void> {
  await makeDirectory(folder, 0o700);
  for (const name of await namesIn(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
