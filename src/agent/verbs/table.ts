import type { AgentDeps } from "../agent-deps.ts";
import type { VerbTable } from "../serve.ts";
import { abortVerb } from "./abort.ts";
import { followVerb } from "./follow.ts";
import { helloVerb } from "./hello.ts";
import { historyVerb } from "./history.ts";
import { resumeVerb } from "./resume.ts";

/** Every verb of the agent with its code. */
export function verbTable(deps: AgentDeps): VerbTable {
  return {
    hello: helloVerb(deps),
    follow: followVerb(deps),
    resume: resumeVerb(deps),
    abort: abortVerb(deps),
    history: historyVerb(deps),
  };
}
