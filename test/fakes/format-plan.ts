import type { Plan } from "../../src/kernel/plan.ts";

/** A plan as text, one line a step with its cause: a changed decision is a readable difference. */
export function formatPlan(plan: Plan): string {
  return plan.steps.map((step) => `${step.title}  (${step.cause})`).join("\n");
}
