import type { AgentDeps } from "../agent-deps.ts";
import { startUnit } from "../run-unit.ts";
import type { Handler } from "../serve.ts";
import { eventsSize, followToEnd, openRun, resultOfEnd } from "./follow-to-end.ts";

/** Goes on with a run that was cut off or whose undoing failed; only follows one that is under way. */
export function resumeVerb(deps: AgentDeps): Handler<"resume"> {
  return async (call) => {
    const { stack } = call.args;
    const run = await openRun(deps, stack);
    const offset = await eventsSize(deps, { stack, run });
    await startUnit(deps.shell, stack, "start");
    return { result: resultOfEnd(await followToEnd(deps, { stack, run, offset }, call)) };
  };
}
