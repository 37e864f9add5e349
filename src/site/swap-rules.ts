import * as z from "zod";
import { duration, shortDuration } from "./site-values.ts";

/** What a broken rule leads to. */
const action = z.enum(["fail", "warn", "off"]).describe("What breaking this rule leads to: fail takes the release back, warn only says so, off does not look.");

const timing = {
  baseline: duration.describe(
    "How long before the swap is looked back on: the old release's own share of errors and speed in that time are what the new one is held against.",
  ),
  extend: duration.describe("How much longer than swap.bake the release is watched while a rule cannot decide; then it is decided by what is there."),
};

const probes = {
  failAfter: z.int().min(1).max(20).describe("Failures in a row after which a probe is failing, which takes the release back."),
  passAfter: z.int().min(1).max(20).describe("Good answers in a row after which a probe that had failed counts as passing again."),
  flaps: z
    .int()
    .min(2)
    .max(20)
    .describe("Changes between good and bad within the window that make a probe a flapping one, which the end of the bake waits for."),
  window: z.int().min(2).max(200).describe("Looks that the changes are counted in."),
};

const traffic = {
  minimumRequests: z
    .int()
    .min(1)
    .max(10_000)
    .describe("Requests that the new release should have had by the end of the bake. Synthetic ones make up what people do not send."),
  rate: z.int().min(1).max(100).describe("Synthetic requests a second at most."),
  routes: z
    .array(
      z
        .string()
        .max(500)
        .regex(/^\/[\x21-\x7e]*$/, "must begin with / and hold no blanks"),
    )
    .max(20)
    .describe(
      "Paths beside the login page that are asked for through the front door, in each round and as synthetic requests: pages that are safe to ask for often.",
    ),
};

const errors = {
  action,
  share: z.number().min(0.001).max(1).describe("Share of failed answers (5xx) beyond the old release's own that breaks the rule."),
  routeShare: z.number().min(0.01).max(1).describe("The same for one kind of request alone: logins, remote calls."),
  minimum: z.int().min(1).max(1000).describe("Failed answers that there must be at least."),
};

const latency = {
  action,
  ratio: z.number().min(1.1).max(100).describe("How many times as long as with the old release 95 of 100 answers may take."),
  floor: shortDuration.describe("What is quicker than this is never too slow."),
  minimumRequests: z
    .int()
    .min(5)
    .max(10_000)
    .describe("Requests needed on both sides to compare them. People's if there were so many before the swap, else synthetic ones."),
};

const memory = {
  action,
  over: duration.describe("How long memory must have grown steadily."),
  within: duration.describe("It grows too fast when it would reach the web container's limit within this time."),
  above: z.number().min(0.1).max(1).describe("Share of the limit that must be in use already to take the release back; below it, growth is only told."),
};

const log = {
  action,
  kinds: z.int().min(1).max(1000).describe("Different new ERROR or CRITICAL entries (those that the old release did not write) that break the rule."),
  entries: z.int().min(1).max(100_000).describe("New ERROR or CRITICAL entries of all kinds together that break the rule."),
};

const DESCRIPTIONS = {
  probes: "When a probe has failed: a single bad answer decides nothing.",
  traffic: "How much traffic the release is judged by.",
  errors: "Failed answers, by the proxy's own counts.",
  latency: "Speed, by the proxy's own measure. Judged on the second half of the bake, since caches fill in the first.",
  memory: "A web container that leaks.",
  log: "Odoo's own ERROR and CRITICAL log entries.",
};

/** The rules with nothing left out. */
export const swapRules = z.strictObject({
  ...timing,
  probes: z.strictObject(probes),
  traffic: z.strictObject(traffic),
  errors: z.strictObject(errors),
  latency: z.strictObject(latency),
  memory: z.strictObject(memory),
  log: z.strictObject(log),
});

/** The rules as a person writes them: only what differs. */
export const someSwapRules = z
  .strictObject({
    ...timing,
    probes: z.strictObject(probes).partial().describe(DESCRIPTIONS.probes),
    traffic: z.strictObject(traffic).partial().describe(DESCRIPTIONS.traffic),
    errors: z.strictObject(errors).partial().describe(DESCRIPTIONS.errors),
    latency: z.strictObject(latency).partial().describe(DESCRIPTIONS.latency),
    memory: z.strictObject(memory).partial().describe(DESCRIPTIONS.memory),
    log: z.strictObject(log).partial().describe(DESCRIPTIONS.log),
  })
  .partial();
