import * as z from "zod";
import { timestamp } from "../../kernel/clock.ts";
import type { RunView, StepCode } from "../../kernel/run-plan.ts";
import { type BackupRecord, backupRecordSchema, readBackupRecords, removeBackupRecords, writeBackupRecord } from "../backup-record.ts";
import { planOf, type RecoveryRun } from "../recovery-context.ts";
import { dropOld } from "../drop-old.ts";
import { SITE_ARCHIVE } from "../kept-site.ts";
import { requireNoHoles } from "../holes.ts";
import { mayBeMade, prepareOffsite } from "../prepare-offsite.ts";
import { type Repositories, repositoriesAt } from "../repositories.ts";
import { takeHost } from "../take-host.ts";
import { recordOf, resultOfDatabase, resultOfFiles } from "./backup.ts";

type Code = StepCode<RecoveryRun>;
type Held = NonNullable<BackupRecord["offsite"]>;

/** Of a backup that the step before could not make: that has been told, and would only be told again, minutes later. */
const LEFT_OUT = { summary: "left out: the step before failed" };

export const backUpDatabaseOffsite: Code = {
  async do(run, _step, { signal }) {
    const { archive } = offsiteOf(run);
    await prepareOffsite(run, { archive }, placeOf(run));
    await archive.check(signal);
    const made = await archive.backup(planOf(run, "backup").type, signal);
    const holes = await requireNoHoles(archive, signal, made.label);
    return { ...resultOfDatabase(made), ...(holes === undefined ? {} : { holes }) };
  },
};

export const snapshotFilesOffsite: Code = {
  async do(run, _step, view) {
    if (view.resultOf("database:offsite") === undefined) return LEFT_OUT;
    const { files } = offsiteOf(run);
    if (await mayBeMade(run, placeOf(run))) await files.prepare();
    return resultOfFiles(await files.take("files", run.run, view.signal));
  },
};

export const snapshotHostOffsite: Code = {
  async do(run, _step, view) {
    const held = heldOffsite(run, view);
    if (held === undefined) return LEFT_OUT;
    const { files } = offsiteOf(run);
    const draft = { ...recordOf(run, view), offsite: held };
    return await takeHost(run, { files, draft, lay: () => files.lay(SITE_ARCHIVE, view.signal) }, view.signal);
  },
};

export const recordOffsite: Code = {
  async do(run, _step, view) {
    const held = heldOffsite(run, view);
    const host = z.object({ snapshot: z.string() }).safeParse(view.resultOf("host:offsite"));
    if (held === undefined || !host.success) return LEFT_OUT;
    const made = (await readBackupRecords(run.paths)).find(({ id }) => id === run.run);
    if (made === undefined) return LEFT_OUT;
    await writeBackupRecord(run.paths, { ...made, offsite: { ...held, host: host.data } });
    return { isThere: true };
  },
};

export const forgetOffsite: Code = {
  async do(run, _step, view) {
    // After a failure what is there is not touched: it may be the last that there is.
    if (view.resultOf("record:offsite")?.["isThere"] !== true) return LEFT_OUT;
    const policy = run.stack.facts.backup.offsite;
    if (policy === undefined) return LEFT_OUT;
    const backups = await dropOld(offsiteOf(run), policy.keepDays, run.clock, view.signal);
    const labels = new Set(backups.map(({ label }) => label));
    const gone = (await readBackupRecords(run.paths)).filter(({ offsite }) => offsite !== undefined && !labels.has(offsite.database.label));
    await removeBackupRecords(
      run.paths,
      gone.filter(({ isOnlyOffsite }) => isOnlyOffsite === true).map(({ id }) => id),
    );
    for (const { offsite: _offsite, ...own } of gone) if (own.isOnlyOffsite !== true) await writeBackupRecord(run.paths, own);
    return gone.length === 0 ? {} : { summary: `${gone.length} dropped` };
  },
};

function placeOf({ stack }: RecoveryRun): string {
  return stack.facts.backup.offsite?.place ?? "";
}

function offsiteOf(run: RecoveryRun): Repositories {
  return repositoriesAt("offsite", run);
}

/** What the offsite repository holds of this backup so far; undefined when a part of it could not be made. */
function heldOffsite(run: RecoveryRun, view: Pick<RunView, "resultOf">): Held | undefined {
  const [database, files] = [view.resultOf("database:offsite"), view.resultOf("files:offsite")];
  const held = backupRecordSchema.shape.offsite.safeParse({ at: database?.["at"], ended: timestamp(run.clock), database, files, place: placeOf(run) });
  return held.data;
}
