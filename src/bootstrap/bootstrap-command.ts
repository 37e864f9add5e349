import type { Readable } from "node:stream";
import * as z from "zod";
import { checkPayload, readJson } from "../agent/payload.ts";
import type { ReplyLine } from "../agent/protocol.ts";
import { toErrorRecord } from "../kernel/error-record.ts";
import { asMillwrightError, MillwrightError } from "../kernel/errors.ts";
import { VERSION } from "../kernel/version.ts";
import { confirmGuard, rollBackGuard } from "./guard.ts";
import { runBootstrap } from "./run-bootstrap.ts";
import type { System } from "./system.ts";
import { wantedHostSchema } from "./wanted.ts";

export const bootstrapRequestSchema = z.strictObject({ wanted: wantedHostSchema, operatorNow: z.number() });
export type BootstrapRequest = z.infer<typeof bootstrapRequestSchema>;

const REQUEST_LIMIT = 1024 * 1024;

/**
 * The host half of `millwright host bootstrap`, as `agent bootstrap plan|apply|confirm ID|rollback`: run as root through the admin's sudo,
 * never through the gate. Writes JSON lines like a verb, and returns the exit status.
 */
export async function bootstrapCommand(words: readonly string[], input: Readable, write: (line: ReplyLine) => void, system: System): Promise<number> {
  try {
    write({ ok: true, agent: VERSION, result: await answer(words, input, write, system) });
    return 0;
  } catch (error) {
    const problem = asMillwrightError(error);
    write({ ok: false, agent: VERSION, error: toErrorRecord(problem) });
    return problem.exit;
  }
}

async function answer(words: readonly string[], input: Readable, write: (line: ReplyLine) => void, system: System): Promise<unknown> {
  const [what, id, ...rest] = words;
  if ((what === "plan" || what === "apply") && id === undefined) {
    const request = checkPayload(bootstrapRequestSchema, await readJson(input, REQUEST_LIMIT));
    return await runBootstrap({ ...request, system, mode: what, events: { emit: (event) => write({ event }) } });
  }
  if (what === "confirm" && id !== undefined && rest.length === 0) return await confirmGuard(system, id).then(() => ({ confirmed: id }));
  if (what === "rollback" && id === undefined) return { rolledBack: await rollBackGuard(system) };
  throw new MillwrightError("USAGE", "The agent's bootstrap takes plan, apply, confirm ID or rollback.", { subject: words.join(" ") });
}
