import { timestamp } from "../../kernel/clock.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { planOf, repositoriesOf, type RecoveryRun } from "../recovery-context.ts";
import { untilDue } from "../until-due.ts";
import { writeVerifyRecord } from "../verify-record.ts";

export const verifyDatabase: StepCode<RecoveryRun> = {
  async do(run, _step, { signal }) {
    const { archive } = repositoriesOf(run);
    const problems = await untilDue(run.clock, planOf(run, "verify").until, signal, (end) => archive.verify(end));
    if (problems.length > 0) throw damaged("database", problems);
    return { summary: `${(await archive.backups()).length} backups and the log after them` };
  },
};

export const verifyFiles: StepCode<RecoveryRun> = {
  async do(run, _step, { signal }) {
    const { wholeFiles, quarter, until } = planOf(run, "verify");
    const share = wholeFiles ? undefined : `${quarter}/4`;
    const problems = await untilDue(run.clock, until, signal, (end) => repositoriesOf(run).files.verify(share, end));
    if (problems.length > 0) throw damaged("files", problems);
    return { summary: `${(await repositoriesOf(run).files.snapshots("files")).length} snapshots` };
  },
};

export const recordVerify: StepCode<RecoveryRun> = {
  async do(run) {
    const { wholeFiles, quarter, from: place } = planOf(run, "verify");
    await writeVerifyRecord(run.paths, { version: 1, run: run.run, at: timestamp(run.clock), place, quarter: wholeFiles ? 4 : quarter });
  },
};

function damaged(subject: string, problems: readonly string[]): MillwrightError {
  return new MillwrightError("BACKUP_DAMAGED", `The repository of the ${subject} is damaged: ${problems[0]}`, { subject, details: problems });
}
