import { openDeployContext } from "../deploy/deploy-context.ts";
import { deployTable } from "../deploy/deploy-steps.ts";
import { swapReport } from "../swap/swap-report.ts";
import { swapTable } from "../swap/swap-steps.ts";
import { recoveryRun } from "../recovery/recovery-context.ts";
import { recoveryReport } from "../recovery/recovery-report.ts";
import { RECOVERY_STEPS } from "../recovery/recovery-steps.ts";
import type { Plan } from "../kernel/plan.ts";
import type { RunOutcome } from "../kernel/run-plan.ts";
import type { AgentDeps } from "./agent-deps.ts";
import { deployDeps, recoveryDeps, swapDeps } from "./room-deps.ts";
import { bindTable, type RunPlace, type RunTable, type RunTables } from "./run-table.ts";

/** The code of every kind of plan that this agent carries out: each room's step table, bound to what it needs of the host. */
export function runTables(deps: AgentDeps): RunTables {
  const swap = async (plan: Plan, place: RunPlace): Promise<RunTable> => {
    const { table, context } = swapTable(await swapDeps(deps, plan.stack, place), plan, place.run);
    return bindTable(table, context, (outcome, resultOf) => swapReport(context, outcome, resultOf));
  };
  const recovery = async (plan: Plan, place: RunPlace): Promise<RunTable> => {
    const run = recoveryRun(await recoveryDeps(deps, plan.stack, place), plan, place.run);
    return bindTable(RECOVERY_STEPS, run, (outcome, resultOf) => recoveryReport(run.plan, outcome, resultOf));
  };
  return {
    backup: recovery,
    point: recovery,
    verify: recovery,
    drill: recovery,
    restore: recovery,
    fence: recovery,
    takeover: recovery,
    deploy: async (plan, place) =>
      bindTable(deployTable, await openDeployContext(deployDeps(deps, plan.stack), plan, place.events), (outcome) => ({
        summary: deployReport(plan, outcome),
      })),
    swap,
    rollback: swap,
  };
}

function deployReport(plan: Plan, outcome: RunOutcome): string {
  if (outcome.outcome === "done") return `Stack ${String(plan.context["stack"])} is up.`;
  return outcome.outcome === "undone"
    ? `The stack before is in place again: ${outcome.error?.message ?? "no reason given"}`
    : (outcome.error?.message ?? "Undoing failed.");
}
