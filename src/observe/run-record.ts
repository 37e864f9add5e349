import * as z from "zod";
import { eventSchema, type MillwrightEvent } from "../kernel/events.ts";
import { journalEntrySchema } from "../kernel/journal.ts";
import { planSchema } from "../kernel/plan.ts";

/** Events of kinds that only another version knows are passed over. */
const eventsSchema = z.array(z.unknown()).transform((events): MillwrightEvent[] => events.flatMap((event) => eventSchema.safeParse(event).data ?? []));

/** Everything that a host keeps of one run: what a report is made of. Fields are added, never renamed. */
export const runRecordSchema = z.object({
  version: z.literal(1),
  /** When the record was taken. */
  at: z.string(),
  host: z.string(),
  run: z.string(),
  who: z.string(),
  /** Versions of the agent and of the Docker engine when the record was taken. */
  agent: z.string(),
  engine: z.string().optional(),
  plan: planSchema,
  /** The stack that is deployed when the record is taken; a later deploy may have changed it since the run. */
  stack: z.object({ id: z.string(), domain: z.string(), blueprint: z.string(), series: z.string(), images: z.array(z.string()) }).optional(),
  events: eventsSchema,
  journal: z.object({
    /** Of the whole journal, at that time. */
    entries: z.number(),
    head: z.string(),
    /** Why it cannot be trusted; then there are no entries of the run either. */
    problem: z.string().optional(),
    /** Of this run. */
    run: z.array(journalEntrySchema),
  }),
  /** Files of the run's evidence, as they are. */
  evidence: z.array(z.object({ name: z.string(), text: z.string() })),
  /** Lines of the recorded series of the bake; none of an older run. */
  series: z.array(z.unknown()),
  /** The same of each stage of a canary that was begun, by its step; none by an older agent. */
  stages: z.array(z.object({ step: z.string(), series: z.array(z.unknown()) })).default([]),
  /** What was too much, in words. */
  leftOut: z.array(z.string()),
});

export type RunRecord = z.infer<typeof runRecordSchema>;
