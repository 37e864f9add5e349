import * as z from "zod";
import { colourSchema } from "../blueprint/stack.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import type { Plan } from "../kernel/plan.ts";
import { releaseSchema } from "../release/release-file.ts";
import { servingSchema } from "./serving.ts";
import type { SwapDeps } from "./swap-deps.ts";

/** What the steps of a swap or a rollback share; kept in the plan, so that a run that was cut off finds it again. */
export const swapContextSchema = z.object({
  kind: z.enum(["swap", "rollback"]),
  /** Where users go. */
  colour: colourSchema,
  release: releaseSchema,
  /** What serves when the plan is made; absent for a first release. */
  from: z.object({ serving: servingSchema, release: releaseSchema }).optional(),
});

export type SwapPlanContext = z.infer<typeof swapContextSchema>;

export interface SwapContext extends SwapDeps, SwapPlanContext {
  /** Id of the run, which also names the switch. */
  readonly run: string;
}

/** Where a swap or a rollback takes users, and where from; undefined for a plan that moves nobody. */
export function swapMove(plan: Plan): Extract<MillwrightEvent, { kind: "plan" }>["swap"] {
  const context = swapContextSchema.safeParse(plan.context).data;
  if (context === undefined) return undefined;
  const { colour, release, from } = context;
  return {
    to: { colour, release: release.id },
    ...(from === undefined ? {} : { from: { colour: from.serving.colour, release: from.release.id } }),
  };
}

export function swapContext(deps: SwapDeps, plan: Plan, run: string): SwapContext {
  return { ...deps, ...swapContextSchema.parse(plan.context), run };
}
