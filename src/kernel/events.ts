import { z } from "zod";
import { errorRecordSchema } from "./error-record.ts";

/**
 * What a long run says while it goes on. Core code emits events and never prints; the command line draws them (live, plain lines or
 * JSON lines), and the agent writes them to the run's events.jsonl, which `follow` reads. JSON fields are added, never renamed.
 */
export const eventSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("plan"),
    at: z.string(),
    run: z.string(),
    purpose: z.string(),
    who: z.string(),
    steps: z.array(z.object({ id: z.string(), title: z.string() })),
  }),
  z.object({
    kind: z.literal("step"),
    at: z.string(),
    id: z.string(),
    title: z.string(),
    state: z.enum(["begun", "done", "failed", "undoing", "undone", "skipped"]),
    detail: z.string().optional(),
  }),
  z.object({ kind: z.literal("note"), at: z.string(), level: z.enum(["info", "warning"]), text: z.string() }),
  z.object({
    kind: z.literal("progress"),
    at: z.string(),
    id: z.string(),
    done: z.number(),
    total: z.number().optional(),
    unit: z.enum(["bytes", "seconds", "steps"]),
  }),
  z.object({
    kind: z.literal("probe"),
    at: z.string(),
    colour: z.enum(["blue", "green"]),
    name: z.string(),
    verdict: z.enum(["pass", "fail", "unknown"]),
    detail: z.string(),
    milliseconds: z.number(),
  }),
  z.object({
    kind: z.literal("ended"),
    at: z.string(),
    run: z.string(),
    outcome: z.enum(["done", "undone", "failed"]),
    summary: z.string(),
    /** Present when the outcome is not `done`: what the command line reports. */
    error: errorRecordSchema.optional(),
    /** Verb-specific result data: seconds of a swap, evidence files. */
    result: z.record(z.string(), z.unknown()).optional(),
  }),
]);

export type MillwrightEvent = z.infer<typeof eventSchema>;

export interface Events {
  emit(event: MillwrightEvent): void;
}

export const silentEvents: Events = { emit: () => {} };
