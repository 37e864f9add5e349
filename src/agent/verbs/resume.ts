import { readPreview, sayGo } from "../../swap/preview-file.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { startUnit } from "../run-unit.ts";
import type { Handler } from "../serve.ts";
import { eventsSize, followToEnd, openRun, resultOfEnd } from "./follow-to-end.ts";

/** Goes on with a run that was cut off or whose undoing failed, and lets one go on that waits in its preview; only follows any other that is under way. */
export function resumeVerb(deps: AgentDeps): Handler<"resume"> {
  return async (call) => {
    const { stack } = call.args;
    const { paths } = storeOf(deps, stack);
    const run = await openRun(deps, stack);
    const offset = await eventsSize(deps, { stack, run });
    if ((await readPreview(paths, run)) !== undefined) await sayGo(paths, run, call.who);
    await startUnit(deps.shell, stack, "start");
    return { result: resultOfEnd(await followToEnd(deps, { stack, run, offset }, call)) };
  };
}
