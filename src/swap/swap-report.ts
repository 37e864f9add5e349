import type { RunOutcome, StepResult } from "../kernel/run-plan.ts";
import type { SwapPlanContext } from "./swap-context.ts";

/** What came of a swap or a rollback, in one sentence: which release serves now, and why. Pure. */
export function swapReport(context: SwapPlanContext, outcome: RunOutcome, resultOf: (step: string) => StepResult | undefined): string {
  const { release, colour, from } = context;
  const kept = from === undefined ? "No release serves yet" : `Release ${from.release.id} serves as before, on ${from.serving.colour}`;
  switch (outcome.outcome) {
    case "done": {
      const watched = resultOf("bake")?.["summary"];
      return `Release ${release.id} serves on ${colour}${typeof watched === "string" ? `: ${watched}` : ""}.`;
    }
    case "undone":
      return `${kept}; release ${release.id} was taken back.`;
    case "failed":
      return outcome.error?.message ?? "Undoing failed.";
  }
}
