import type { Stack } from "../blueprint/stack.ts";
import type { Plan } from "../kernel/plan.ts";
import type { Observed } from "./observe-platform.ts";
import { DATABASE_SERVICE, EDGE_SERVICE } from "./plan-deploy.ts";

/** What each service's restart means for people at work. */
const FELT: Readonly<Record<string, string>> = {
  edge: "no page answers for about a second while the proxy restarts",
  database: "requests wait for some seconds while PostgreSQL restarts; a request that runs longer than 10 s is cut off",
  cache: "requests wait for some seconds while the session store restarts",
};

/** What a reader of the plan should know beside its steps. Pure. */
export function deployNotes(stack: Stack, plan: Plan, observed: Observed): readonly string[] {
  const notes: string[] = [];
  const isServing = observed.colours.some((container) => container.service === "web" && container.state === "running");
  for (const step of plan.steps) {
    const felt = step.kind === "up" && step.params["before"] !== "absent" ? FELT[String(step.params["service"])] : undefined;
    const isCovered = step.kind === "up" && step.params["service"] === EDGE_SERVICE && plan.steps.some((other) => other.kind === "stand-in");
    if (isServing && felt !== undefined && !isCovered) notes.push(felt[0]?.toUpperCase() + felt.slice(1) + ".");
  }
  const isDatabaseRenewed = plan.steps.some((step) => step.kind === "up" && step.params["service"] === DATABASE_SERVICE && step.params["before"] !== "absent");
  // A standby stops to replay when the other allows more connections than it does itself.
  if (stack.facts.standby !== undefined && isDatabaseRenewed)
    notes.push(`The standby ${stack.facts.standby} must not have lower settings: run \`millwright deploy --standby\` before this, or right after it.`);
  for (const waiver of stack.facts.waived) notes.push(`Waived: ${waiver.rule} for ${waiver.service}: ${waiver.reason}`);
  return notes;
}
