import { MillwrightError } from "../../kernel/errors.ts";
import type { StepCode } from "../../kernel/run-plan.ts";
import { planOf, repositoriesOf, type RecoveryRun } from "../recovery-context.ts";

/** So many days until every byte of the files' repository was read. */
const DAYS = 30;

export const verifyDatabase: StepCode<RecoveryRun> = {
  async do(run, _step, { signal }) {
    const { archive } = repositoriesOf(run);
    const problems = await archive.verify(signal);
    if (problems.length > 0) throw damaged("database", problems);
    return { summary: `${(await archive.backups()).length} backups and the log after them` };
  },
};

export const verifyFiles: StepCode<RecoveryRun> = {
  async do(run, _step, { signal }) {
    const day = Math.floor(run.clock.now() / 86_400_000) % DAYS;
    const share = planOf(run, "verify").wholeFiles ? undefined : `${day + 1}/${DAYS}`;
    const problems = await repositoriesOf(run).files.verify(share, signal);
    if (problems.length > 0) throw damaged("files", problems);
    return { summary: `${(await repositoriesOf(run).files.snapshots("files")).length} snapshots` };
  },
};

function damaged(subject: string, problems: readonly string[]): MillwrightError {
  return new MillwrightError("BACKUP_DAMAGED", `The repository of the ${subject} is damaged: ${problems[0]}`, { subject, details: problems });
}
