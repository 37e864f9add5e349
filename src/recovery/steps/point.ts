import * as z from "zod";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { writePoint } from "../point-record.ts";
import { planOf, type RecoveryRun } from "../recovery-context.ts";

/** Rounded up: the log has the times of its transactions more exactly, and what was written before must be in it. */
const MOMENT = `SELECT to_char(date_trunc('milliseconds', clock_timestamp() AT TIME ZONE 'UTC') + interval '1 ms', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');`;

/** The database's own clock says when: that is the one that its log has. */
export const mark: StepCode<RecoveryRun> = {
  async do({ psql }) {
    const at = (await psql.query("postgres", MOMENT))[0]?.[0];
    if (at === undefined) throw new MillwrightError("BACKUP_FAILED", "The database does not tell the time.", { subject: "database" });
    // Recovery knows that it has come to a moment by a transaction that is later.
    await psql.query("postgres", "UPDATE millwright.heartbeat SET at = clock_timestamp();");
    return { at, summary: at };
  },
};

/** Only now there is something to come back to. */
export const recordPoint: StepCode<RecoveryRun> = {
  async do(run, _step, view) {
    const { name, release } = planOf(run, "point");
    const at = z.string().parse(view.resultOf("mark")?.["at"]);
    await writePoint(run.paths, { version: 1, name, at, run: run.run, who: run.who, release: release.id });
  },
};
