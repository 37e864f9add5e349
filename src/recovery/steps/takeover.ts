import { findContainer } from "../../docker/find-container.ts";
import { describeBytes } from "../../kernel/describe-bytes.ts";
import { messageOf, MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { lastLines } from "../../kernel/shell.ts";
import type { Psql } from "../../swap/psql.ts";
import { markPromotion } from "../promotion.ts";
import { planOf, type RecoveryRun } from "../recovery-context.ts";

type Code = StepCode<RecoveryRun>;

/** Without any progress. By the repository alone a segment comes each five seconds. */
const STILL_SECONDS = 120;
const PROMOTE_SECONDS = 600;
const POLL_MILLISECONDS = 500;
const FILES_MILLISECONDS = 6 * 60 * 60_000;

/**
 * All that came over is in the tables, and where the other host could leave one, its last sign of life with it: a standby that has stopped to follow must
 * not take the place of a host that has everything.
 */
export const catchUp: Code = {
  async do(run, _step, { signal }) {
    const { sign } = planOf(run, "takeover");
    let [reached, since] = ["", run.clock.now()];
    for (;;) {
      const [[recovers, received = "", unread = "0", hasSign, replayed = ""] = []] = await run.psql.query("postgres", stateSql(sign));
      if (recovers === "f") return { summary: "it is promoted already" };
      const left = Math.max(0, Number(unread));
      if (left === 0 && hasSign === "t") return { received, summary: received === "" ? "all of the archive" : `all up to ${received}` };
      // What it reads from the archive is none that it received: only what it has replayed tells of that.
      if (replayed !== reached) [reached, since] = [replayed, run.clock.now()];
      if (run.clock.now() - since >= STILL_SECONDS * 1000) throw lacking(left, sign);
      await run.clock.sleep(POLL_MILLISECONDS, signal);
    }
  },
};

function stateSql(sign: string | undefined): string {
  const has = sign === undefined ? "true" : `(SELECT at >= '${sign}' FROM millwright.heartbeat)`;
  return `SELECT pg_is_in_recovery(), pg_last_wal_receive_lsn(), coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0), ${has}, pg_last_wal_replay_lsn();`;
}

function lacking(left: number, sign: string | undefined): MillwrightError {
  const what = left > 0 ? `${describeBytes(left)} of the log are still to be replayed` : `what the host wrote until ${String(sign)} has not come over`;
  return new MillwrightError("STANDBY_BEHIND", `The standby does not catch up: ${what}.`, { subject: "database" });
}

/** Of a host that died those after the last snapshot are lost, and a repository out of reach must not keep the database from taking over: the plan says so. */
export const newestFiles: Code = {
  async do({ docker, stack }, _step, { signal }) {
    const backup = await findContainer(docker, stack.facts.stack, "backup");
    if (backup?.state !== "running") throw new MillwrightError("PLATFORM_DOWN", "The service backup does not run.", { subject: "backup" });
    const words = ["/bin/sh", "/opt/millwright/follow.sh", "now"];
    const { code, output } = await docker.exec(backup.id, words, { limitMilliseconds: FILES_MILLISECONDS, signal });
    if (code !== 0) throw new MillwrightError("RESTORE_FAILED", "The newest files could not be fetched.", { subject: "files", details: lastLines(output, 15) });
    return { summary: `as of ${output.trim().split("\n").at(-1) ?? ""}` };
  },
};

/** There is no way back: from here on its log is a line of its own. It is only begun, since no query may take as long as the end of a recovery. */
export const promote: Code = {
  async do({ psql, paths }) {
    if (!(await isInRecovery(psql))) return { summary: "it is promoted already" };
    await markPromotion(paths);
    try {
      await psql.query("postgres", "SELECT pg_promote(false);");
    } catch (error) {
      // PostgreSQL may have heard it all the same.
      throw new MillwrightError("PROMOTION_OPEN", `Nobody knows whether the promotion was begun: ${messageOf(error)}`, { subject: "database", cause: error });
    }
    return { summary: "begun" };
  },
};

export const opened: Code = {
  async do({ psql, clock }, _step, { signal }) {
    const deadline = clock.now() + PROMOTE_SECONDS * 1000;
    while (await isInRecovery(psql)) {
      if (clock.now() >= deadline)
        throw new MillwrightError("PROMOTION_OPEN", `The database is still in recovery, ${PROMOTE_SECONDS} s after it was promoted.`, { subject: "database" });
      await clock.sleep(POLL_MILLISECONDS, signal);
    }
    return { summary: "it takes writes" };
  },
};

export const checkpoint: Code = {
  async do({ psql }) {
    await psql.query("postgres", "SET statement_timeout = 0;\nCHECKPOINT;");
  },
};

async function isInRecovery(psql: Psql): Promise<boolean> {
  const [row] = await psql.query("postgres", "SELECT pg_is_in_recovery();");
  return row?.[0] !== "f";
}
