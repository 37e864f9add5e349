import type { Plan } from "../kernel/plan.ts";

/** A plan as the operator sees it before saying yes. */
export function describePlan(plan: Plan, notes: readonly string[] = []): string {
  const width = Math.max(0, ...plan.steps.map((step) => step.title.length));
  return [
    plan.steps.length === 0 ? "Nothing to do: the host is as the site says." : plan.purpose,
    ...plan.steps.map((step, index) => `  ${String(index + 1).padStart(2)}. ${step.title.padEnd(width)}  ${step.cause}`),
    ...notes.map((note) => `  ! ${note}`),
  ].join("\n");
}
