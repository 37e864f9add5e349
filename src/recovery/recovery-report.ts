import type { RunOutcome, StepResult } from "../kernel/run-plan.ts";
import { describeTarget, type RecoveryContext } from "./plan-recovery.ts";
import { isInPlace } from "./recovery-context.ts";

interface Report {
  readonly summary: string;
  readonly result?: StepResult;
}

type ResultOf = (step: string) => StepResult | undefined;

/** What came of it, in one sentence, with what was measured as data. Pure. */
export function recoveryReport(plan: RecoveryContext, outcome: RunOutcome, resultOf: ResultOf): Report {
  if (outcome.outcome === "failed") return { summary: outcome.error?.message ?? "Undoing failed." };
  if (outcome.outcome === "undone")
    return { summary: failure(plan, outcome, resultOf), ...(isPromoted(plan, outcome, resultOf) ? { result: { isPromoted: true } } : {}) };
  switch (plan.kind) {
    case "backup": {
      const [database, files] = [resultOf("database"), resultOf("files")];
      const whole = `The backup is whole: database ${text(database)}; ${text(files)}${holesOf(resultOf("gaps"))}`;
      const offsite = resultOf("database:offsite");
      if (resultOf("record:offsite")?.["isThere"] === true)
        return { summary: `${whole}; offsite as well${holesOf(offsite)}.`, result: { database, files, offsite } };
      const problem = outcome.warnings.find((warning) => warning.includes("offsite"));
      const told = resultOf("record:offsite") === undefined ? "" : `, but only on the host${problem === undefined ? "" : ` (${problem})`}`;
      return { summary: `${whole}${told}.`, result: { database, files } };
    }
    case "point":
      return { summary: `${plan.name} is ${text(resultOf("mark"))}: \`millwright backup restore --to point:${plan.name}\` goes back to it.` };
    case "verify":
      return {
        summary: `The repositories are good: database, ${text(resultOf("verify-database"))}; files, ${text(resultOf("verify-files"))}${holesOf(resultOf("gaps"))}.`,
      };
    case "fence":
      if (plan.isLifted) return { summary: "The plant is up on this host again." };
      return { summary: "The plant has ended on this host, and nothing here starts it again.", result: { sign: resultOf("last-sign")?.["sign"] } };
    case "takeover":
      return { summary: `The database is the plant's: ${text(resultOf("catch-up"))}; files ${text(resultOf("newest-files"))}.` };
    case "restore": {
      const [rpo, checked] = [resultOf("open")?.["rpoSeconds"], resultOf("check-files")];
      const where = plan.isBeside ? "stands in the scratch place" : "is in place";
      return {
        summary: `What was restored, to ${describeTarget(plan.target)}, ${where}: attachments ${text(checked)}${fewerOf(resultOf("check-database"))}.`,
        result: { backup: plan.backup.id, rpoSeconds: rpo },
      };
    }
    case "drill": {
      const [rpo, rto, checked] = [resultOf("open")?.["rpoSeconds"], resultOf("login")?.["rtoSeconds"], resultOf("check-files")];
      const summary = `Backup ${plan.backup.id} is proven: RPO ${String(rpo)} s, RTO ${String(rto)} s, attachments ${text(checked)}${fewerOf(resultOf("check-database"))}.`;
      return {
        summary,
        result: { backup: plan.backup.id, rpoSeconds: rpo, rtoSeconds: rto, attachments: checked?.["attachments"], tooYoung: checked?.["tooYoung"] },
      };
    }
  }
}

function failure(plan: RecoveryContext, outcome: RunOutcome, resultOf: ResultOf): string {
  const { error } = outcome;
  const why = error?.message ?? "no reason given";
  switch (plan.kind) {
    case "backup":
      return `There is no new backup: ${why}`;
    case "point":
      return `There is no point ${plan.name}: ${why}`;
    case "verify":
      return error?.code === "BACKUP_DUE" ? `Not verified to the end: ${why}` : `The backups are not good: ${why}`;
    case "restore":
      return isInPlace({ resultOf })
        ? `What was restored is in place and stays there, as users have worked on it since: ${why}`
        : `Nothing was exchanged, the plant is as it was: ${why}`;
    case "fence":
      return plan.isLifted ? `The host stays fenced: ${why}` : `The plant goes on on this host: ${why}`;
    case "takeover":
      return isPromoted(plan, outcome, resultOf)
        ? `The promotion was begun, so there is only the way forward, \`millwright failover\` again: ${why}`
        : `Not taken over: ${why} \`millwright status --standby\` says whether it still follows.`;
    case "drill":
      return `Backup ${plan.backup.id} is not proven: ${why}`;
  }
}

/** Whatever ended the run, the old host must not serve again. */
function isPromoted(plan: RecoveryContext, { error }: RunOutcome, resultOf: ResultOf): boolean {
  return plan.kind === "takeover" && (plan.isBegun || resultOf("promote") !== undefined || error?.code === "PROMOTION_OPEN");
}

/** What a backup does not need, and a restore to a moment before it does. */
function holesOf(result: StepResult | undefined): string {
  return typeof result?.["holes"] === "string" ? `; ${result["holes"]}` : "";
}

/** What log that was replayed may rightly have removed: a person knows whether it did. */
function fewerOf(result: StepResult | undefined): string {
  const fewer: unknown = result?.["fewer"];
  return Array.isArray(fewer) ? `; less than at the backup (${fewer.join("; ")})` : "";
}

function text(result: StepResult | undefined): string {
  return typeof result?.["summary"] === "string" ? result["summary"] : "done";
}
