import { open } from "node:fs/promises";
import type { Clock } from "../kernel/clock.ts";
import { MillwrightError } from "../kernel/errors.ts";
import type { MillwrightEvent } from "../kernel/events.ts";
import type { HostPaths } from "../blueprint/host-paths.ts";
import { isMissing } from "../kernel/durable-file.ts";
import { endedInJournal, type EndedEvent } from "./execute-run.ts";
import { verifyJournal } from "./journal-file.ts";
import { parseEventLine } from "./run-events.ts";

const POLL_MILLISECONDS = 100;
const LOOK_AT_UNIT_MILLISECONDS = 1000;
/** Looks at an idle unit in a row before the run counts as stalled: systemd needs a moment between two starts. */
const IDLE_LOOKS = 3;

export interface FollowOptions {
  readonly paths: HostPaths;
  readonly run: string;
  /** Byte of events.jsonl to begin at; 0 tells the run from its beginning. */
  readonly offset: number;
  readonly isActive: () => Promise<boolean>;
  readonly onEvent: (event: MillwrightEvent) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Tells a run's events until its end and returns that. A failed end is the last only when nothing works on the run any more, since
 * `resume` goes on with it. RUN_STALLED when the run has no end and its unit does not run.
 */
export async function followRun(options: FollowOptions): Promise<EndedEvent> {
  const { paths, run, clock, signal } = options;
  const reader = lineReader(`${paths.run(run)}/events.jsonl`, options.offset);
  let failed: EndedEvent | undefined;
  let idle = 0;
  let lookAt = clock.now() + LOOK_AT_UNIT_MILLISECONDS;
  for (;;) {
    signal.throwIfAborted();
    const events = (await reader()).map(parseEventLine).filter((event) => event !== undefined);
    for (const event of events) {
      await options.onEvent(event);
      if (event.kind === "ended" && event.outcome !== "failed") return event;
      failed = event.kind === "ended" ? event : undefined;
    }
    if (events.length > 0) idle = 0;
    else if (failed !== undefined || clock.now() >= lookAt) {
      idle = (await options.isActive()) ? 0 : idle + 1;
      if (idle > 0 && failed !== undefined) return failed;
      if (idle >= IDLE_LOOKS) return await endOfIdleRun(options);
      lookAt = clock.now() + LOOK_AT_UNIT_MILLISECONDS;
    }
    await clock.sleep(POLL_MILLISECONDS, signal);
  }
}

/** The journal is the truth: it may hold an end that was never told. */
async function endOfIdleRun({ paths, run, onEvent }: FollowOptions): Promise<EndedEvent> {
  const { entries } = await verifyJournal(paths.journal);
  const ended = endedInJournal(entries.filter((entry) => entry.run === run));
  if (ended === undefined) {
    throw new MillwrightError("RUN_STALLED", "The run has not ended, and nothing on the host is working on it.", {
      subject: `run ${run}`,
      hint: "Finish it with `millwright resume`, or take it back with `millwright abort`.",
    });
  }
  await onEvent(ended);
  return ended;
}

/** Returns the whole lines that were added to a file since the last call. */
function lineReader(path: string, offset: number): () => Promise<readonly string[]> {
  let position = offset;
  let rest: Buffer = Buffer.alloc(0);
  return async () => {
    const added = await readFrom(path, position);
    position += added.length;
    const bytes = Buffer.concat([rest, added]);
    const end = bytes.lastIndexOf(10) + 1;
    rest = bytes.subarray(end);
    return end === 0
      ? []
      : bytes
          .subarray(0, end - 1)
          .toString("utf8")
          .split("\n");
  };
}

async function readFrom(path: string, position: number): Promise<Buffer> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0);
    throw error;
  }
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.max(0, size - position));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
