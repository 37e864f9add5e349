import * as z from "zod";
import type { Clock } from "./clock.ts";

/**
 * A plan is data: what will be done and why, one line a step, serialisable, shown before it is run and kept beside its journal.
 * Plans are made by pure functions (`planDeploy`, `planSwap`) and carried out by `runPlan`, which decides nothing.
 */
export const stepSchema = z.object({
  /** Unique in the plan, such as `switch` or `up:database`. */
  id: z.string(),
  /** Selects the step's code in the run's step table. */
  kind: z.string(),
  /** One line for people: what happens. */
  title: z.string(),
  /** Why this step is in the plan. */
  cause: z.string(),
  /** What undoing it does, in words; absent when there is nothing to undo. */
  undo: z.string().optional(),
  /** From the end of this step on, a run that was cut off goes forward instead of back. At most one in a plan. */
  decision: z.boolean().optional(),
  /** What a failure leads to: `undo` takes the whole run back, `report` ends it as done with a warning. */
  failure: z.enum(["undo", "report"]).default("undo"),
  /** A failure that is only reported is told at once: the step has taken its time, and is not tried again. */
  once: z.boolean().optional(),
  /** How long it waits for a person, at most. */
  waitSeconds: z.number().optional(),
  /** How long it looks on when all goes well. */
  watchSeconds: z.number().optional(),
  /** Input for the step's code, validated by it. */
  params: z.record(z.string(), z.unknown()).default({}),
});

export const planSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  stack: z.string(),
  kind: z.enum(["deploy", "swap", "rollback", "backup", "point", "verify", "drill", "restore", "fence", "takeover"]),
  /** One sentence: what the plan is for. */
  purpose: z.string(),
  /** Hash of what was observed; a plan is refused if the host has changed since. */
  basis: z.string(),
  steps: z.array(stepSchema),
  /** What the plan's steps share: stack id, release, colours. Validated by the room that made the plan. */
  context: z.record(z.string(), z.unknown()).default({}),
});

/** Id of a plan made now: sorts by time; letters, digits and dashes only. */
export function planId(clock: Clock, kind: Plan["kind"]): string {
  return `${new Date(clock.now()).toISOString().replace(/[-:.Z]/g, "")}-${kind}`;
}

export type Step = z.infer<typeof stepSchema>;
export type Plan = z.infer<typeof planSchema>;
