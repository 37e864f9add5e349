import type { Plan } from "../../kernel/plan.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { beginRun } from "../run-store.ts";
import { startUnit } from "../run-unit.ts";
import type { VerbAnswer, VerbCall } from "../serve.ts";
import { followToEnd, resultOfEnd } from "./follow-to-end.ts";

/**
 * The verbs `deploy`, `upgrade`, `rollback` and `backup`: start the saved plan as a run and follow it to its end. `basisNow` looks at the host
 * again as the plan's maker did. Once the unit is started, a lost link changes nothing.
 */
export function startRunVerb<V extends "deploy" | "upgrade" | "rollback" | "backup">(
  deps: AgentDeps,
  kinds: readonly Plan["kind"][],
  basisNow: (stack: string, plan: Plan) => Promise<string>,
): (call: VerbCall<V>) => Promise<VerbAnswer> {
  return async (call) => {
    const { stack, plan } = call.args as { readonly stack: string; readonly plan: string };
    const run = await beginRun(storeOf(deps, stack), { plan, kinds, who: call.who, basisNow: (saved) => basisNow(stack, saved) });
    await startUnit(deps.shell, stack, "restart");
    return { result: resultOfEnd(await followToEnd(deps, { stack, run }, call)) };
  };
}
