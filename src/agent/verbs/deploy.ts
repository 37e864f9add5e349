import { deployBasis, prepareDeploy } from "../../deploy/prepare-deploy.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { deployDeps } from "../room-deps.ts";
import { savePlan } from "../run-store.ts";
import type { Handler } from "../serve.ts";
import { siteKept } from "./site.ts";
import { startRunVerb } from "./start-run.ts";

/** Takes a stack in, compares it with what runs and keeps the plan for `deploy`. */
export function planVerb(deps: AgentDeps): Handler<"plan"> {
  return async ({ args, payload }) => {
    const prepared = await prepareDeploy(deployDeps(deps, args.stack), payload);
    if (prepared.plan.steps.length > 0) await savePlan(storeOf(deps, args.stack), prepared.plan);
    return { result: { ...prepared, siteKept: await siteKept(deps, args.stack) } };
  };
}

export function deployVerb(deps: AgentDeps): Handler<"deploy"> {
  return startRunVerb(deps, ["deploy"], async (stack, plan) => await deployBasis(deployDeps(deps, stack), plan));
}
