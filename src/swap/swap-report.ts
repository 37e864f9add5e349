import type { RunOutcome, StepResult } from "../kernel/run-plan.ts";
import type { SwapPlanContext } from "./swap-context.ts";

interface SwapReport {
  readonly summary: string;
  readonly result?: StepResult;
}

/** What came of a swap or a rollback, in one sentence: which release serves now, and why; with the bake's verdict as data. Pure. */
export function swapReport(context: SwapPlanContext, outcome: RunOutcome, resultOf: (step: string) => StepResult | undefined): SwapReport {
  const baked = resultOf("bake");
  const summary = summaryOf(context, outcome, baked);
  return baked === undefined ? { summary } : { summary, result: { verdict: baked["verdict"], evidence: baked["evidence"] } };
}

function summaryOf(context: SwapPlanContext, outcome: RunOutcome, baked: StepResult | undefined): string {
  const { release, colour, from } = context;
  const kept = from === undefined ? "No release serves yet" : `Release ${from.release.id} serves as before, on ${from.serving.colour}`;
  switch (outcome.outcome) {
    case "done": {
      const watched = baked?.["summary"];
      return `Release ${release.id} serves on ${colour}${typeof watched === "string" ? `: ${watched}` : ""}.`;
    }
    case "undone":
      return `${kept}; release ${release.id} was taken back.`;
    case "failed":
      return outcome.error?.message ?? "Undoing failed.";
  }
}
