import { z } from "zod";
import { silentEvents } from "../../kernel/events.ts";
import { prepareRollback, prepareSwap, type Prepared, swapBasis } from "../../swap/prepare-swap.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { checkPayload } from "../payload.ts";
import { swapDeps } from "../room-deps.ts";
import { savePlan } from "../run-store.ts";
import type { Handler } from "../serve.ts";
import { startRunVerb } from "./start-run.ts";

const payloadSchema = z.strictObject({ release: z.unknown() });

export function upgradePlanVerb(deps: AgentDeps): Handler<"upgrade-plan"> {
  return async (call) => {
    const { release } = checkPayload(payloadSchema, call.payload);
    return { result: await keep(deps, call.args.stack, await prepareSwap(await swapDeps(deps, call.args.stack, call), release)) };
  };
}

export function rollbackPlanVerb(deps: AgentDeps): Handler<"rollback-plan"> {
  return async (call) => ({ result: await keep(deps, call.args.stack, await prepareRollback(await swapDeps(deps, call.args.stack, call))) });
}

export function upgradeVerb(deps: AgentDeps): Handler<"upgrade"> {
  return startRunVerb(deps, ["swap"], async (stack, plan) => await swapBasis(await swapDeps(deps, stack, { who: "", events: silentEvents }), plan));
}

export function rollbackVerb(deps: AgentDeps): Handler<"rollback"> {
  return startRunVerb(deps, ["rollback"], async (stack, plan) => await swapBasis(await swapDeps(deps, stack, { who: "", events: silentEvents }), plan));
}

async function keep(deps: AgentDeps, stack: string, prepared: Prepared): Promise<Prepared> {
  if (prepared.plan.steps.length > 0) await savePlan(storeOf(deps, stack), prepared.plan);
  return prepared;
}
