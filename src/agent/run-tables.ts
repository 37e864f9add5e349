import type { HostPaths } from "../blueprint/host-paths.ts";
import { openDeployContext } from "../deploy/deploy-context.ts";
import { deployTable } from "../deploy/deploy-steps.ts";
import { swapTable } from "../swap/swap-steps.ts";
import type { Plan } from "../kernel/plan.ts";
import type { AgentDeps } from "./agent-deps.ts";
import { deployDeps, swapDeps } from "./room-deps.ts";
import { bindTable, type RunPlace, type RunTable, type RunTables } from "./run-table.ts";

/** The code of every kind of plan that this agent carries out: each room's step table, bound to what it needs of the host. */
export function runTables(deps: AgentDeps, _paths: HostPaths): RunTables {
  const swap = async (plan: Plan, place: RunPlace): Promise<RunTable> => {
    const { table, context } = swapTable(await swapDeps(deps, plan.stack, place), plan, place.run);
    return bindTable(table, context);
  };
  return {
    deploy: async (plan, place) => bindTable(deployTable, await openDeployContext(deployDeps(deps, plan.stack), plan, place.events)),
    swap,
    rollback: swap,
  };
}
