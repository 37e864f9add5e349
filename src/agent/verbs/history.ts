import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { verifyJournal } from "../journal-file.ts";
import { lastRuns } from "../last-runs.ts";
import type { Handler } from "../serve.ts";

const SHOWN_RUNS = 50;

/** The stack's last runs, and the head of its journal, which proves that earlier entries were not rewritten. */
export function historyVerb(deps: AgentDeps): Handler<"history"> {
  return async ({ args }) => {
    const { entries, head } = await verifyJournal(storeOf(deps, args.stack).paths.journal);
    return { result: { runs: lastRuns(entries, SHOWN_RUNS), entries: entries.length, head } };
  };
}
