import * as z from "zod";
import { silentEvents } from "../../kernel/events.ts";
import { prepareRollback, prepareSwap, type PreparedSwap, swapBasis } from "../../swap/prepare-swap.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { checkPayload } from "../payload.ts";
import { swapDeps } from "../room-deps.ts";
import { savePlan } from "../run-store.ts";
import type { Handler } from "../serve.ts";
import { siteKept } from "./site.ts";
import { startRunVerb } from "./start-run.ts";

const LONGEST_PREVIEW_SECONDS = 86_400;

const payloadSchema = z.strictObject({
  release: z.unknown().optional(),
  preview: z.strictObject({ seconds: z.int().min(1).max(LONGEST_PREVIEW_SECONDS) }).optional(),
});

export function upgradePlanVerb(deps: AgentDeps): Handler<"upgrade-plan"> {
  return async (call) => {
    const { release, preview } = checkPayload(payloadSchema, call.payload);
    const prepared = await prepareSwap(await swapDeps(deps, call.args.stack, call), release, { previewSeconds: preview?.seconds });
    return { result: { ...(await keep(deps, call.args.stack, prepared)), siteKept: await siteKept(deps, call.args.stack) } };
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

async function keep(deps: AgentDeps, stack: string, prepared: PreparedSwap): Promise<PreparedSwap> {
  if (prepared.plan.steps.length > 0) await savePlan(storeOf(deps, stack), prepared.plan);
  return prepared;
}
