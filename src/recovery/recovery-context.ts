import { MillwrightError } from "../kernel/errors.ts";
import type { Plan } from "../kernel/plan.ts";
import type { RunView } from "../kernel/run-plan.ts";
import type { BackupRecord } from "./backup-record.ts";
import { recoveryContextSchema, type RecoveryContext } from "./plan-recovery.ts";
import type { RecoveryDeps } from "./recovery-deps.ts";
import { type Repositories, repositoriesAt } from "./repositories.ts";

/** What a step of a recovery's run has: the world, what the plan says, and whose run it is. */
export interface RecoveryRun extends RecoveryDeps {
  readonly run: string;
  readonly plan: RecoveryContext;
}

export type PlanOf<Kind extends RecoveryContext["kind"]> = Extract<RecoveryContext, { kind: Kind }>;

export function recoveryRun(deps: RecoveryDeps, plan: Plan, run: string): RecoveryRun {
  return { ...deps, run, plan: recoveryContextSchema.parse(plan.context) };
}

/** Of a drill or a restore: what is restored, and the release that it is for. */
export function restoredBy({ plan }: RecoveryRun): PlanOf<"drill"> | PlanOf<"restore"> {
  if (plan.kind === "drill" || plan.kind === "restore") return plan;
  throw new MillwrightError("INTERNAL", `A step of a restore stands in the plan of a ${plan.kind}.`);
}

/** The backup that a release comes out of, on a host that may not have it. */
export function bringsRelease({ plan }: RecoveryRun): BackupRecord {
  if ((plan.kind === "restore" || plan.kind === "takeover") && plan.backup !== undefined) return plan.backup;
  throw new MillwrightError("INTERNAL", `A step that brings a release stands in the plan of a ${plan.kind} without a backup.`);
}

/** The repositories that a run reads; a backup's own steps write to both by themselves. */
export function repositoriesOf(run: RecoveryRun): Repositories {
  return repositoriesAt("from" in run.plan ? run.plan.from : "local", run);
}

/** The plan's context as that of one kind: a step stands in plans of that kind only. */
export function planOf<Kind extends RecoveryContext["kind"]>({ plan }: RecoveryRun, kind: Kind): PlanOf<Kind> {
  if (plan.kind !== kind) throw new MillwrightError("INTERNAL", `A step of a ${kind} stands in the plan of a ${plan.kind}.`);
  return plan as PlanOf<Kind>;
}

/** Users were led to what was restored. From here on there is no way back: what they have written since would be lost. */
export function isInPlace({ resultOf }: Pick<RunView, "resultOf">): boolean {
  return resultOf("lead-back") !== undefined;
}
