import * as z from "zod";
import { errorRecordSchema } from "./error-record.ts";

const colour = z.enum(["blue", "green"]);

/** Where users are, or where they go. */
const place = z.object({ colour, release: z.string() });

/** Requests to a colour, as the proxy has counted them over so many seconds. */
const trafficSide = z.object({
  colour,
  seconds: z.number(),
  requests: z.number(),
  /** Answers with a 5xx status. */
  errors: z.number(),
  /** Within which 95 of 100 were answered; absent when none was timed. */
  p95Milliseconds: z.number().optional(),
});

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
    /** Of a swap or a rollback: where users go, and where they are; `from` is absent for a first release. */
    swap: z.object({ to: place, from: place.optional() }).optional(),
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
    /** What goes on after its time, in seconds: how far that is, to where it may go, and for what. */
    longer: z.object({ done: z.number(), total: z.number(), why: z.string() }).optional(),
  }),
  z.object({
    kind: z.literal("probe"),
    at: z.string(),
    colour,
    name: z.string(),
    verdict: z.enum(["pass", "fail", "unknown"]),
    detail: z.string(),
    milliseconds: z.number(),
  }),
  /** The colour that users are on, since the switch, and the other one in the minutes before the run. */
  z.object({
    kind: z.literal("traffic"),
    at: z.string(),
    now: trafficSide,
    /** In a canary, the old colour in the same time. */
    beside: trafficSide.optional(),
    before: trafficSide.optional(),
  }),
  /** A release waits on that colour for a person's word, until then at the latest, and is shown to testers only. */
  z.object({
    kind: z.literal("preview"),
    at: z.string(),
    id: z.string(),
    colour,
    until: z.string(),
    /** What leads testers to it. It is not kept with the event: absent in a report, and for who follows when the preview is over. */
    link: z.string().optional(),
    header: z.string().optional(),
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
  /** Throws nothing: that something could not be told decides nothing. */
  emit(event: MillwrightEvent): void;
}

export const silentEvents: Events = { emit: () => {} };
