import * as z from "zod";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { type Clock, timestamp } from "../kernel/clock.ts";
import { writeDurable } from "../kernel/durable-file.ts";
import { type MillwrightError, messageOf } from "../kernel/errors.ts";
import { readState } from "../kernel/read-state.ts";
import { redact } from "../kernel/secret.ts";
import { verifyJournal } from "./journal-file.ts";

/** `trouble.json` in a run's folder: why it could not go on when it was last tried. */
const troubleSchema = z.object({
  times: z.int(),
  at: z.string(),
  code: z.string(),
  message: z.string(),
  /** The journal's entries then: when there are more, the run has gone on since. */
  entries: z.int(),
});

export type RunTrouble = z.infer<typeof troubleSchema>;

/** Notes that a run was tried and could not go on. */
export async function noteTrouble(paths: HostPaths, run: string, problem: MillwrightError, clock: Clock): Promise<void> {
  const times = ((await readTrouble(paths, run))?.times ?? 0) + 1;
  const trouble: RunTrouble = { times, at: timestamp(clock), code: problem.code, message: redact(messageOf(problem)), entries: await countEntries(paths) };
  await writeDurable(troubleFile(paths, run), `${JSON.stringify(trouble)}\n`, { mode: 0o600 });
}

/** Undefined for a run that goes on, or has gone on since it was in trouble. */
export async function readTrouble(paths: HostPaths, run: string): Promise<RunTrouble | undefined> {
  const trouble = await readState(troubleFile(paths, run), troubleSchema);
  return trouble === undefined || trouble.entries !== (await countEntries(paths)) ? undefined : trouble;
}

/** -1 for a journal that cannot be read, which may be the trouble. */
async function countEntries(paths: HostPaths): Promise<number> {
  try {
    return (await verifyJournal(paths.journal)).entries.length;
  } catch {
    return -1;
  }
}

function troubleFile(paths: HostPaths, run: string): string {
  return `${paths.run(run)}/trouble.json`;
}
