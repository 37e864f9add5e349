import { stat } from "node:fs/promises";
import type { HostPaths } from "../../blueprint/host-paths.ts";
import { fromErrorRecord } from "../../kernel/error-record.ts";
import { MillwrightError } from "../../kernel/errors.ts";
import type { Events, MillwrightEvent } from "../../kernel/events.ts";
import { readPreview } from "../../swap/preview-file.ts";
import { type AgentDeps, storeOf } from "../agent-deps.ts";
import { isMissing } from "../../kernel/durable-file.ts";
import type { EndedEvent } from "../execute-run.ts";
import { followRun } from "../follow.ts";
import { readJournalEnd } from "../journal-file.ts";
import { readLock } from "../run-lock.ts";
import { isUnitActive } from "../run-unit.ts";

export interface RunEnd {
  readonly run: string;
  readonly outcome: "done" | "undone" | "failed";
  readonly summary: string;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface FollowTarget {
  readonly stack: string;
  readonly run: string;
  readonly offset?: number;
}

/** Passes a run's events on until it ends, and returns how it ended. */
export async function followToEnd(
  deps: AgentDeps,
  target: FollowTarget,
  listener: { readonly events: Events; readonly signal: AbortSignal },
): Promise<EndedEvent> {
  const { paths } = storeOf(deps, target.stack);
  return await followRun({
    paths,
    run: target.run,
    offset: target.offset ?? 0,
    isActive: () => isUnitActive(deps.shell, target.stack),
    onEvent: async (event) => listener.events.emit(event.kind === "preview" ? await withAccess(paths, target.run, event) : event),
    clock: deps.clock,
    signal: listener.signal,
  });
}

/** What leads to a preview is told to whoever may follow, as long as it does. */
async function withAccess(paths: HostPaths, run: string, event: Extract<MillwrightEvent, { kind: "preview" }>): Promise<MillwrightEvent> {
  const preview = await readPreview(paths, run);
  return preview === undefined ? event : { ...event, link: preview.link, header: preview.header };
}

/** A run that was done, as a verb's result; any other end as the error it ended with. */
export function resultOfEnd(ended: EndedEvent): RunEnd {
  if (ended.outcome === "done") return describeEnd(ended);
  const { summary, error = { code: "INTERNAL", message: summary } } = ended;
  // What serves now comes first: that is what the reader fears for.
  throw fromErrorRecord({ ...error, details: [...(summary === error.message ? [] : [summary]), ...(error.details ?? [])] });
}

export function describeEnd({ run, outcome, summary, result }: EndedEvent): RunEnd {
  return { run, outcome, summary, result: result ?? {} };
}

/** The run that holds the stack's lock. */
export async function openRun(deps: AgentDeps, stack: string): Promise<string> {
  const lock = await readLock(storeOf(deps, stack).paths);
  if (lock !== undefined) return lock.run;
  throw new MillwrightError("NO_RUN", "No run is under way.", { subject: stack, hint: "See `millwright history`." });
}

/** The run that holds the lock, or else the last one in the journal: a folder may be of a run that was never begun. */
export async function latestRun(deps: AgentDeps, stack: string): Promise<string> {
  const { paths } = storeOf(deps, stack);
  const run = (await readLock(paths))?.run ?? (await readJournalEnd(paths.journal)).entries.at(-1)?.run;
  if (run !== undefined) return run;
  throw new MillwrightError("NO_RUN", "No run was ever begun.", { subject: stack, hint: "Begin one with `millwright deploy`." });
}

/** Where a run's events end now: a follower of what comes next begins there. */
export async function eventsSize(deps: AgentDeps, target: FollowTarget): Promise<number> {
  try {
    return (await stat(`${storeOf(deps, target.stack).paths.run(target.run)}/events.jsonl`)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
