import { z } from "zod";
import type { Verb } from "../agent/protocol.ts";
import type { Stack } from "../blueprint/stack.ts";
import { timestamp } from "../kernel/clock.ts";
import { planSchema } from "../kernel/plan.ts";
import type { CliContext } from "./context.ts";
import type { HostLink } from "./host-link.ts";

const preparedSchema = z.object({
  plan: planSchema,
  notes: z.array(z.string()).default([]),
  drift: z.array(z.object({ subject: z.string(), text: z.string() })).default([]),
  classification: z.object({ kind: z.string(), reasons: z.array(z.string()) }).optional(),
});

export type Prepared = z.infer<typeof preparedSchema>;

/** Sends the stack and gets the host's plan for it: one round trip. */
export async function askPlan(link: HostLink, stack: Stack, context: CliContext): Promise<Prepared> {
  return preparedSchema.parse(await link.call("plan", [stack.facts.stack], { payload: { stack, now: timestamp(context.clock) } }));
}

/** The plan of a swap or of a way back. */
export async function askSwapPlan(link: HostLink, verb: Extract<Verb, "upgrade-plan" | "rollback-plan">, stack: string, payload?: unknown): Promise<Prepared> {
  return preparedSchema.parse(await link.call(verb, [stack], payload === undefined ? {} : { payload }));
}
