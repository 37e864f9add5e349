import * as z from "zod";
import { colourSchema } from "../blueprint/stack.ts";
import type { Traffic } from "./metrics.ts";

/**
 * What a swap has measured, as it stands in the run's evidence: `baseline.json` (the old release before the swap) and `series.jsonl`
 * (the new one while it bakes, one line a round). Documented in docs/swap.md; fields are added, never renamed.
 */
const count = z.object({ requests: z.number(), errors: z.number() });
export const trafficSchema: z.ZodType<Traffic> = count.extend({
  seconds: z.number(),
  timed: z.number(),
  buckets: z.array(z.object({ le: z.number(), count: z.number() })),
  routers: z.record(z.string(), count),
});

const memorySchema = z.object({ usedBytes: z.number(), limitBytes: z.number() });

export const baselineSchema = z.object({
  at: z.string(),
  colour: colourSchema,
  release: z.string(),
  /** Where `traffic` is from: the proxy started within the time asked for, Prometheus remembers, or only the run itself has looked. */
  source: z.enum(["proxy", "prometheus", "run"]),
  /** The time that `traffic` covers. */
  seconds: z.number(),
  /** The old release's requests in that time, synthetic ones included; absent while the run itself is still looking. */
  traffic: trafficSchema.optional(),
  /** What the proxy had counted when this was written: the run's own look begins here. */
  reading: trafficSchema.optional(),
  /** The requests among them that millwright sent, as it saw them itself. */
  synthetic: trafficSchema,
  /** Probes that failed on the old release already. */
  failing: z.array(z.object({ name: z.string(), detail: z.string() })),
  /** Of its web container. */
  memory: memorySchema.optional(),
  /** Kinds of ERROR and CRITICAL entries in its logs. */
  logKinds: z.array(z.string()),
});
export type Baseline = z.infer<typeof baselineSchema>;

const containerSchema = z.object({ service: z.string(), state: z.string(), restartCount: z.number(), oomKilled: z.boolean() });
export type ContainerView = Readonly<z.infer<typeof containerSchema>>;

const cronSchema = z.object({
  /** Scheduled jobs whose time had come when the bake began. */
  due: z.number(),
  /** Jobs that have run since. */
  ran: z.number(),
  /** Database sessions of the cron container. */
  sessions: z.number(),
});
export type CronActivity = z.infer<typeof cronSchema>;

export const roundSchema = z.object({
  at: z.string(),
  /** Since the bake began. */
  seconds: z.number(),
  probes: z.array(z.object({ name: z.string(), verdict: z.enum(["pass", "fail", "unknown"]), milliseconds: z.number(), detail: z.string().optional() })),
  containers: z.array(containerSchema),
  /** By the proxy's counts since the switch; absent when they could not be read. */
  traffic: trafficSchema.optional(),
  /** In a stage of a canary, what the old colour was asked in the same time: to be seen beside the new one, judged by no rule. */
  old: trafficSchema.optional(),
  /** Millwright's own requests through the front door since the bake began, as it saw them itself. `traffic` holds them too. */
  synthetic: trafficSchema,
  /** Of the web container. */
  memory: memorySchema.optional(),
  /** ERROR and CRITICAL entries since the switch of kinds that the old release's logs do not hold, and how many kinds. */
  log: z.object({ entries: z.number(), kinds: z.number() }),
  cron: cronSchema.optional(),
});
export type Round = z.infer<typeof roundSchema>;

const noteSchema = z.object({ rule: z.string(), about: z.string(), level: z.enum(["info", "warning"]), text: z.string() });

export const verdictSchema = z.object({
  verdict: z.enum(["pass", "fail", "unknown"]),
  /** Which rule decided, or is still open; `none` when no rule is broken. */
  rule: z.enum(["containers", "probes", "errors", "latency", "memory", "log", "cron", "time", "none"]),
  detail: z.string(),
  /** The service that broke it, where it is one. */
  service: z.string().optional(),
  numbers: z.record(z.string(), z.number()),
  /** What a person should know and what decided nothing. */
  notes: z.array(noteSchema),
});
export type Verdict = z.infer<typeof verdictSchema>;
export type Note = Verdict["notes"][number];

/** A line of series.jsonl. A bake that was cut off and began again begins anew with a line `begun`: only what follows the last one counts. */
export const seriesLineSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("begun"),
    version: z.literal(1),
    at: z.string(),
    /** When users came: what `traffic` counts from. */
    since: z.string().optional(),
    colour: colourSchema,
    release: z.string(),
    baseline: baselineSchema.optional(),
  }),
  roundSchema.extend({ kind: z.literal("round") }),
  z.object({ kind: z.literal("verdict"), at: z.string(), verdict: verdictSchema }),
]);
export type SeriesLine = z.infer<typeof seriesLineSchema>;

/** All that a bake is judged by. */
export interface BakeSeries {
  /** The containers as they were when they were found good. */
  readonly before: readonly ContainerView[];
  /** Absent for a first release. */
  readonly baseline: Baseline | undefined;
  /** Oldest first. */
  readonly rounds: readonly Round[];
}
