import { lastRuns } from "../../../../src/agent/last-runs.ts";
import { swapContextSchema } from "../../../../src/swap/swap-context.ts";
import type { Rest } from "../rest.ts";

/** The journal's chain holds, every run in it has ended, and who reads it knows what serves and why. */
export function journalExplains({ journal, journalProblem, plans, serving }: Rest): readonly string[] {
  if (journalProblem !== undefined) return [`the journal is broken: ${journalProblem}`];
  const wrong: string[] = [];
  let expected: string | undefined;
  for (const run of lastRuns(journal, Number.POSITIVE_INFINITY).toReversed()) {
    if (run.outcome !== "done" && run.outcome !== "undone") wrong.push(`run ${run.run} is ${run.outcome} for ever`);
    const entries = journal.filter((entry) => entry.run === run.run);
    if (entries.findIndex((entry) => entry.kind === "run-ended") !== entries.length - 1) wrong.push(`run ${run.run} goes on in the journal after its end`);
    const plan = plans.get(run.run);
    if (plan === undefined || plan.kind === "deploy") continue;
    const { release, from } = swapContextSchema.parse(plan.context);
    if (from?.release.id !== expected) wrong.push(`run ${run.run} went from release ${from?.release.id ?? "none"}, but ${expected ?? "none"} served`);
    if (run.outcome === "done") expected = release.id;
  }
  if (serving?.release !== expected) wrong.push(`by the journal ${expected ?? "nothing"} serves, but it is ${serving?.release ?? "nothing"}`);
  return wrong;
}
