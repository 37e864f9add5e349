import type { AgentDeps } from "../agent-deps.ts";
import type { Handler } from "../serve.ts";
import { followToEnd, latestRun, resultOfEnd } from "./follow-to-end.ts";

/** Tells the run under way, or the last one, from its beginning. */
export function followVerb(deps: AgentDeps): Handler<"follow"> {
  return async (call) => {
    const { stack } = call.args;
    const ended = await followToEnd(deps, { stack, run: await latestRun(deps, stack) }, call);
    return { result: resultOfEnd(ended) };
  };
}
