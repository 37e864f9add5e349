import * as z from "zod";
import { errorRecordSchema } from "../kernel/error-record.ts";
import { eventSchema } from "../kernel/events.ts";

/**
 * How the operator side calls the agent: the SSH command is `millwright/<version> <verb> <argument…>`, standard input is the verb's
 * payload, standard output is JSON lines: events, then exactly one result. With the deploy key nothing else can be run (forced command).
 */
export const VERBS = {
  hello: { arguments: [], payload: "none" },
  plan: { arguments: ["stack"], payload: "json-gzip" },
  deploy: { arguments: ["stack", "plan"], payload: "none" },
  "site-keep": { arguments: ["stack"], payload: "json-gzip" },
  lock: { arguments: [], payload: "json" },
  "release-build": { arguments: ["stack"], payload: "stream" },
  "release-missing": { arguments: ["stack"], payload: "json" },
  "release-load": { arguments: ["stack", "image"], payload: "stream" },
  "release-export": { arguments: ["stack", "image"], payload: "json" },
  "derived-load": { arguments: ["stack", "image"], payload: "stream" },
  "upgrade-plan": { arguments: ["stack"], payload: "json" },
  upgrade: { arguments: ["stack", "plan"], payload: "none" },
  "rollback-plan": { arguments: ["stack"], payload: "none" },
  rollback: { arguments: ["stack", "plan"], payload: "none" },
  "backup-plan": { arguments: ["stack"], payload: "json" },
  backup: { arguments: ["stack", "plan"], payload: "none" },
  backups: { arguments: ["stack"], payload: "none" },
  follow: { arguments: ["stack"], payload: "none" },
  resume: { arguments: ["stack"], payload: "none" },
  abort: { arguments: ["stack"], payload: "none" },
  status: { arguments: ["stack"], payload: "none" },
  history: { arguments: ["stack"], payload: "none" },
  journal: { arguments: ["stack"], payload: "none" },
  report: { arguments: ["stack", "run"], payload: "none" },
  logs: { arguments: ["stack", "service", "lines"], payload: "none" },
} as const satisfies Record<string, { readonly arguments: readonly string[]; readonly payload: "none" | "json" | "json-gzip" | "stream" }>;

export type Verb = keyof typeof VERBS;

export const replyLineSchema = z.union([
  z.object({ event: eventSchema }),
  z.object({ ok: z.literal(true), agent: z.string(), result: z.unknown() }),
  z.object({ ok: z.literal(false), agent: z.string(), error: errorRecordSchema }),
]);

export type ReplyLine = z.infer<typeof replyLineSchema>;
