import type { Stack } from "../blueprint/stack.ts";
import type { Plan } from "../kernel/plan.ts";
import type { Colour } from "../blueprint/stack.ts";
import type { Materialised } from "./materialise.ts";
import type { Observed } from "./observe-platform.ts";

/** What each service's restart means for people at work. */
const FELT: Readonly<Record<string, string>> = {
  edge: "no page answers for about a second while the proxy restarts",
  database: "Odoo answers with errors for some seconds while PostgreSQL restarts",
  cache: "requests wait or fail for a second while the session store restarts",
};

/** What a reader of the plan should know beside its steps. Pure. */
export function deployNotes(stack: Stack, plan: Plan, observed: Observed, colours: Partial<Readonly<Record<Colour, Materialised>>>): readonly string[] {
  const notes: string[] = [];
  const isServing = observed.colours.some((container) => container.service === "web" && container.state === "running");
  for (const step of plan.steps) {
    const felt = step.kind === "up" && step.params["before"] !== "absent" ? FELT[String(step.params["service"])] : undefined;
    if (isServing && felt !== undefined) notes.push(felt[0]?.toUpperCase() + felt.slice(1) + ".");
  }
  const waiting = observed.colours.filter((container) => {
    const wanted = colours[container.colour]?.services[container.service];
    return wanted !== undefined && container.state === "running" && wanted.config !== container.config;
  });
  if (waiting.length > 0) {
    const names = waiting.map((container) => `${container.colour} ${container.service}`).join(", ");
    notes.push(`New settings of ${names} take effect with the next upgrade; the running containers are left alone.`);
  }
  for (const waiver of stack.facts.waived) notes.push(`Waived: ${waiver.rule} for ${waiver.service}: ${waiver.reason}`);
  return notes;
}
