import { join } from "node:path";
import * as z from "zod";
import { findContainer } from "../../docker/find-container.ts";
import { describeBytes } from "../../kernel/describe-bytes.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Step } from "../../kernel/plan.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { lastLines } from "../../kernel/shell.ts";
import { addChecks, checkAttachments, NOTHING_CHECKED } from "../check-attachments.ts";
import { chooseSnapshots } from "../choose-snapshots.ts";
import { countHoldings, type Holdings, lackOf, stillThere } from "../counts.ts";
import { reasonIn } from "../pgbackrest-output.ts";
import { readAttachments } from "../read-attachments.ts";
import { repositoriesOf, restoredBy, type RecoveryRun } from "../recovery-context.ts";
import { recoveryProject } from "../recovery-deps.ts";
import { restoreSource } from "../restore-source.ts";
import { clearScratch, makeCluster, scratchFolders } from "../scratch.ts";
import { bringUp, scratchContainer } from "../scratch-service.ts";
import { requireScratchSpace } from "../scratch-space.ts";

type Code = StepCode<RecoveryRun>;

/** The longest that a database may take to replay its log. */
const REPLAY_SECONDS = 6 * 60 * 60;
/** A fast shutdown writes all dirty pages first. */
const STOP_SECONDS = 300;
const CHECK_MILLISECONDS = 6 * 60 * 60_000;

export const clear: Code = {
  async do(run) {
    await run.materialiseRecovery(restoredBy(run).release.image);
    await clearScratch(run);
    requireScratchSpace(restoredBy(run).backup, await run.freeBytes());
    await makeCluster(run);
  },
  undo: clearScratch,
};

export const clearUp: Code = { do: clearScratch };

export const restoreDatabase: Code = {
  async do(run, _step, { signal }) {
    const began = run.clock.now();
    const lines: string[] = [];
    const { label } = await restoreSource(run, fetchingService(run), signal);
    const words = repositoriesOf(run).archive.restoreWords(restoredBy(run).target, label);
    const code = await run.compose.run(recoveryProject(run), run.paths.recovery, fetchingService(run), words, (line) => lines.push(line), signal);
    if (code === 0) return { beganAt: timestampOf(began), seconds: secondsSince(run, began), summary: `from ${label}, in ${secondsSince(run, began)} s` };
    const details = lastLines(lines.join("\n"), 15);
    const why = reasonIn(details) ?? `it ended with ${code}`;
    throw new MillwrightError("RESTORE_FAILED", `The database could not be restored: ${why}`, { subject: "database", details });
  },
};

export const restoreFiles: Code = {
  async do(run, _step, { signal }) {
    const { target, backup } = restoredBy(run);
    // A backup's database is as it was when that backup ended; a snapshot of the minute may have been taken in the middle of it.
    const instant = target.kind === "time" ? new Date(target.at).toISOString() : target.kind === "backup" ? backup.ended : undefined;
    const { files } = repositoriesOf(run);
    const { base, fillIn, completeTo } = chooseSnapshots(await files.snapshots("files"), instant);
    const began = run.clock.now();
    await files.restore(base.id, { fillIn: false }, signal);
    if (fillIn !== undefined) await files.restore(fillIn.id, { fillIn: true }, signal);
    const from = fillIn === undefined ? `snapshot of ${base.at}` : `snapshots of ${fillIn.at} and ${base.at}`;
    return { snapshotAt: completeTo, summary: `${from}, in ${secondsSince(run, began)} s` };
  },
};

export const openDatabase: Code = {
  async do(run, step, { signal }) {
    try {
      await bringUp(run, step, fetchingService(run), REPLAY_SECONDS, signal);
    } catch (error) {
      throw whyNotOpen(error);
    }
    const openAt = run.clock.now();
    await leaveNetwork(run, step, signal);
    // A server that opens can still stop a moment later: what it answers counts.
    const [row] = await run.scratchPsql.query("postgres", "SELECT pg_is_in_recovery(), (SELECT extract(epoch FROM at) FROM millwright.heartbeat);");
    if (row?.[0] !== "f") throw new MillwrightError("RESTORE_FAILED", "The restored database does not open.", { subject: "database" });
    const rpoSeconds = Math.max(0, Math.round(openAt / 1000 - Number(row[1])));
    return { rpoSeconds, openAt: timestampOf(openAt), summary: `its last sign of life is ${rpoSeconds} s old` };
  },
};

export const checkDatabase: Code = {
  async do(run, _step, { signal }) {
    const { database } = run.stack.facts;
    const { backup } = restoredBy(run);
    const server = await scratchContainer(run, "database");
    const words = ["pg_amcheck", "--username=postgres", "--all", "--install-missing", "--heapallindexed", "--jobs=2"];
    const { code, output } = await run.docker.exec(server, words, { user: "postgres", limitMilliseconds: CHECK_MILLISECONDS, signal });
    if (code !== 0) {
      throw new MillwrightError("BACKUP_DAMAGED", "The restored database has damaged tables or indexes.", {
        subject: database,
        details: lastLines(output, 15),
      });
    }
    const restored = await countHoldings(run.scratchPsql, database);
    const proof = await whatMustBeThere(run);
    const lost = proof === undefined ? [] : lackOf(proof, restored);
    if (lost.length > 0) {
      throw new MillwrightError("BACKUP_DAMAGED", `The restored database lacks work that was there at the backup: ${lost[0]}.`, {
        subject: database,
        details: lost,
      });
    }
    const fewer = lackOf(backup, restored);
    if (fewer.length > 0) {
      const why = proof === undefined ? "by the log since, and the plant cannot be asked whether that was removed" : "the plant has no more of it either";
      const text = `The restored database has less than was counted at backup ${backup.id}; ${why}: ${fewer.join("; ")}.`;
      run.events.emit({ kind: "note", at: timestampOf(run.clock.now()), level: "warning", text });
    }
    const [row] = await run.scratchPsql.query(database, `SELECT pg_database_size('${database}');`);
    const bytes = Number(row?.[0] ?? 0);
    return { bytes, ...(fewer.length === 0 ? {} : { fewer }), summary: `${describeBytes(bytes)}, every page and index` };
  },
};

export const checkFiles: Code = {
  async do(run, _step, view) {
    const { database } = run.stack.facts;
    const snapshotAt = z.string().parse(view.resultOf("restore-files")?.["snapshotAt"]);
    const folder = join(scratchFolders(run).filestore, "filestore", database);
    let check = NOTHING_CHECKED;
    for await (const some of readAttachments(run.scratchPsql, database)) {
      check = addChecks(check, await checkAttachments(folder, some, snapshotAt, view.signal));
    }
    if (check.bad > 0) {
      throw new MillwrightError("BACKUP_DAMAGED", `${check.bad} of ${check.checked} attachments are not as the database has them.`, {
        subject: "files",
        details: check.problems,
      });
    }
    const young = check.tooYoung === 0 ? "" : `; ${check.tooYoung} younger than the snapshot`;
    return { attachments: check.checked, bytes: check.bytes, tooYoung: check.tooYoung, summary: `all ${check.checked}, ${describeBytes(check.bytes)}${young}` };
  },
};

/** PostgreSQL's last words on a log that does not reach the moment (its restore and its start have gone well until then). */
function whyNotOpen(error: unknown): unknown {
  if (!(error instanceof MillwrightError) || !error.details.some((line) => line.includes("recovery ended before configured recovery target was reached")))
    return error;
  const last = error.details.map((line) => /last completed transaction was at log time (.*)$/.exec(line)?.[1]).find((at) => at !== undefined);
  return new MillwrightError("RESTORE_FAILED", `The archived log ends before that moment${last === undefined ? "" : `: its last transaction is of ${last}`}.`, {
    subject: "database",
    hint: "Ask for a moment before that, or for all that there is: `--to now`.",
    details: error.details,
    cause: error,
  });
}

/**
 * What of the counts taken at the backup is damage if it lacks: all for the backup itself. What is restored by replaying the log after it may rightly
 * have less, so then only what the living plant still has; undefined when that cannot be asked.
 */
async function whatMustBeThere(run: RecoveryRun): Promise<Holdings | undefined> {
  const restored = restoredBy(run);
  if (restored.target.kind === "backup") return restored.backup;
  // The database of a host where no release serves yet is an empty one.
  if (restored.kind === "restore" && restored.colour === undefined) return undefined;
  const database = await findContainer(run.docker, run.stack.facts.stack, "database");
  if (database?.state !== "running" || database.health !== "healthy") return undefined;
  try {
    return stillThere(restored.backup, await countHoldings(run.psql, run.stack.facts.database));
  } catch (error) {
    // A database that is gone, or damaged where it was asked, is what a restore is for.
    if (error instanceof MillwrightError && error.code === "DATABASE_FAILED") return undefined;
    throw error;
  }
}

/** The service that has what it takes to fetch from the run's repository: that for the offsite one has a network. */
function fetchingService(run: RecoveryRun): "database" | "database-offsite" {
  return restoredBy(run).from === "local" ? "database" : "database-offsite";
}

async function leaveNetwork(run: RecoveryRun, step: Step, signal: AbortSignal): Promise<void> {
  const service = fetchingService(run);
  if (service === "database") return;
  await run.compose.stop(recoveryProject(run), run.paths.recovery, [service], STOP_SECONDS);
  await bringUp(run, step, "database", REPLAY_SECONDS, signal);
}

function secondsSince(run: RecoveryRun, began: number): number {
  return Math.round((run.clock.now() - began) / 100) / 10;
}

function timestampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
