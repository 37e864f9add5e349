import { join } from "node:path";
import * as z from "zod";
import { timestamp } from "../../kernel/clock.ts";
import { describeBytes } from "../../kernel/describe-bytes.ts";
import { writeDurable } from "../../kernel/durable-file.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { RunView, StepCode, StepResult } from "../../kernel/run-plan.ts";
import { type BackupRecord, backupRecordSchema, readBackupRecords, removeBackupRecords, writeBackupRecord } from "../backup-record.ts";
import { backupsAt } from "../backup-place.ts";
import { countRows, installedModules } from "../counts.ts";
import type { DatabaseBackup } from "../database-archive.ts";
import type { SnapshotResult } from "../file-repository.ts";
import { dropOld } from "../drop-old.ts";
import { requireNoHoles } from "../holes.ts";
import { type KeptSite, SITE_ARCHIVE } from "../kept-site.ts";
import { dropPointsBefore } from "../point-record.ts";
import { readyArchive } from "../ready-archive.ts";
import { planOf, repositoriesOf, type RecoveryRun } from "../recovery-context.ts";
import { takeHost } from "../take-host.ts";

type Code = StepCode<RecoveryRun>;

/** One segment of the log goes the whole way into the repository. */
export const seeArchive: Code = {
  async do(run, _step, { signal }) {
    if (run.plan.kind === "backup" && run.plan.doubt !== undefined) throw new MillwrightError("CLOCK_DOUBTED", run.plan.doubt, { subject: "clock" });
    const { archive: repository } = repositoriesOf(run);
    // The offsite one is made by a backup only.
    if (repository === run.archive) await readyArchive(run);
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
  do: (run, _step, view) => takeHost(run, { files: run.files, draft: recordOf(run, view), lay: (kept) => laySite(run, kept) }, view.signal),
};

/** In plain view beside the repositories: what opens them is in there, so it cannot be inside. */
async function laySite({ paths }: RecoveryRun, { archive }: KeptSite): Promise<void> {
  await writeDurable(join(paths.backup, SITE_ARCHIVE), archive);
}

export const findHoles: Code = {
  async do(run, _step, view) {
    const made = z.object({ label: z.string() }).safeParse(view.resultOf("database")).data;
    const holes = await requireNoHoles(repositoriesOf(run).archive, view.signal, made?.label);
    return holes === undefined ? { summary: "none" } : { holes, summary: holes };
  },
};

export const record: Code = {
  async do(run, _step, view) {
    await writeBackupRecord(run.paths, { ...recordOf(run, view), ended: timestamp(run.clock) });
  },
};

export const forget: Code = {
  async do(run, _step, { signal }) {
    const { paths, stack, clock } = run;
    const backups = await dropOld(run, stack.facts.backup.keepDays, clock, signal);
    const labels = new Set(backups.map(({ label }) => label));
    const gone = backupsAt("local", await readBackupRecords(paths)).filter((known) => !labels.has(known.database.label));
    for (const known of gone) {
      if (known.offsite === undefined) await removeBackupRecords(paths, [known.id]);
      else await writeBackupRecord(paths, { ...known, isOnlyOffsite: true });
    }
    await dropPointsBefore(paths, firstEnd(await readBackupRecords(paths)));
    return gone.length === 0 ? {} : { summary: `${gone.length} dropped` };
  },
};

/** What is before it cannot be restored from any place. */
function firstEnd(records: readonly BackupRecord[]): string {
  return records.flatMap(({ ended, offsite }) => [ended, ...(offsite === undefined ? [] : [offsite.ended])]).sort()[0] ?? "";
}

export function resultOfDatabase({ began: at, label, type, size: bytes, added }: DatabaseBackup): StepResult {
  return { at, label, type, size: bytes, added, summary: `${label}, ${describeBytes(added)} added` };
}

export function resultOfFiles({ id: snapshot, files, bytes, added }: SnapshotResult): StepResult {
  return { snapshot, files, bytes, added, summary: `${files} files, ${describeBytes(added)} added` };
}

/** Put together from what the steps before have returned. */
export function recordOf(run: RecoveryRun, view: Pick<RunView, "resultOf">): BackupRecord {
  const { site } = z.object({ site: backupRecordSchema.shape.site }).parse(view.resultOf("host") ?? {});
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
    ...(site === undefined ? {} : { site }),
    counts: counted?.["counts"],
    modules: counted?.["modules"],
  });
}
