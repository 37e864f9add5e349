import { MillwrightError } from "../../kernel/errors.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { markAbort } from "../run-store.ts";
import { startUnit } from "../run-unit.ts";
import type { Handler } from "../serve.ts";
import { describeEnd, eventsSize, followToEnd, openRun, resultOfEnd } from "./follow-to-end.ts";

/** Has the open run undone, whether it is under way or was cut off. Undone is what was asked for, so it is no error here. */
export function abortVerb(deps: AgentDeps): Handler<"abort"> {
  return async (call) => {
    const { stack } = call.args;
    const run = await openRun(deps, stack);
    const offset = await eventsSize(deps, { stack, run });
    await markAbort(storeOf(deps, stack).paths, run, call.who);
    await startUnit(deps.shell, stack, "start");
    const ended = await followToEnd(deps, { stack, run, offset }, call);
    if (ended.outcome === "undone") return { result: describeEnd(ended) };
    resultOfEnd(ended);
    throw new MillwrightError("ABORT_LATE", "The run had ended before the abort reached it.", {
      subject: `run ${run}`,
      hint: "Go back with `millwright rollback`.",
    });
  };
}
