import * as z from "zod";
import type { Verb } from "../agent/protocol.ts";
import type { Stack } from "../blueprint/stack.ts";
import { timestamp } from "../kernel/clock.ts";
import { planSchema } from "../kernel/plan.ts";
import type { CliContext } from "./context.ts";
import type { HostLink } from "./host-link.ts";

const planReplySchema = z.object({
  plan: planSchema,
  notes: z.array(z.string()).default([]),
  drift: z.array(z.object({ subject: z.string(), text: z.string() })).default([]),
  outdated: z.array(z.string()).default([]),
  /** Hash of the site folder that the next backup takes, null for none; absent where an older agent takes none. */
  siteKept: z.string().nullish(),
  classification: z.object({ kind: z.string(), reasons: z.array(z.string()) }).optional(),
});

export type PlanReply = z.infer<typeof planReplySchema>;

/** Sends the stack and gets the host's plan for it: one round trip. */
export async function askPlan(link: HostLink, stack: Stack, context: CliContext, rebuild = false): Promise<PlanReply> {
  const payload = { stack, now: timestamp(context.clock), ...(rebuild ? { rebuild } : {}) };
  return planReplySchema.parse(await link.call("plan", [stack.facts.stack], { payload }));
}

type PlanVerb = Extract<Verb, "upgrade-plan" | "rollback-plan" | "backup-plan">;

/** The plan of a swap, a way back, a backup or a drill. */
export async function askPlanOf(link: HostLink, verb: PlanVerb, stack: string, payload?: unknown): Promise<PlanReply> {
  return planReplySchema.parse(await link.call(verb, [stack], payload === undefined ? {} : { payload }));
}
